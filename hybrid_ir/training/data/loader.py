"""A DataLoader for planned batches."""

import signal
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.training.tokenised_batch import TokenisedBatch

GRACE = 600  # seconds that a worker goes on after SIGTERM


def outlive_signals(_: int) -> None:
    """Let the main process decide when this worker ends.

    A batch system signals every process of a job. A worker that dies of it takes the main process from the middle of
    the step that it was to end and save. The alarm is for a worker that nobody stops.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE))


class PlannedLoader(DataLoader[TokenisedBatch]):
    """Serves a plan's batches.

    `__iter__` is a generator, so nothing is drawn before Lightning has set the epoch. The loader has a random generator
    of its own: starting it must not advance the one that dropout uses.
    """

    sampler: BatchPlanSampler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(  # type: ignore[misc]
            *args, **kwargs, generator=torch.Generator(), worker_init_fn=outlive_signals
        )

    def __iter__(self) -> Iterator[TokenisedBatch]:  # type: ignore[override]
        yield from super().__iter__()
