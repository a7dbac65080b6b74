"""A DataLoader that knows how many of a plan's batches it has handed out."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from hybrid_ir.model.pair_batch import PairBatch
from hybrid_ir.sampling.sampler import BatchPlanSampler


class PlannedLoader(DataLoader[PairBatch]):
    """Serves a plan's batches.

    The count is taken where batches leave the loader, not where workers fetch them ahead. `__iter__` is a generator, so
    nothing is drawn before Lightning has set the epoch. The loader has a random generator of its own: starting it must
    not advance the one that dropout uses.

    Attributes:
        served: batches of the current epoch that have been handed out.
    """

    sampler: BatchPlanSampler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, generator=torch.Generator())  # type: ignore[misc]
        self.served = 0

    def __iter__(self) -> Iterator[PairBatch]:  # type: ignore[override]
        self.served = self.sampler.start
        for batch in super().__iter__():
            self.served += 1
            yield batch
