"""A DataLoader for planned batches."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from hybrid_ir.model.pair_batch import PairBatch
from hybrid_ir.sampling.sampler import BatchPlanSampler


class PlannedLoader(DataLoader[PairBatch]):
    """Serves a plan's batches.

    `__iter__` is a generator, so nothing is drawn before Lightning has set the epoch. The loader has a random generator
    of its own: starting it must not advance the one that dropout uses.
    """

    sampler: BatchPlanSampler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, generator=torch.Generator())  # type: ignore[misc]

    def __iter__(self) -> Iterator[PairBatch]:  # type: ignore[override]
        yield from super().__iter__()
