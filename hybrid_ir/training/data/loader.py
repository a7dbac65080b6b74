"""The DataLoader of planned batches, and the callback that keeps it at one of them."""

import signal
from collections.abc import Iterator
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader

from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.training.tokenised_batch import TokenisedBatch

GRACE = 600  # seconds that a worker lives on after SIGTERM


def outlive_signals(_: int) -> None:
    """Let the main process decide when this worker ends.

    A batch system signals every process of a job. If a worker died of it, it would end the main process in the middle
    of the step that it was about to finish and save. The alarm ends a worker that nobody stops.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE))


class PlannedLoader(DataLoader[TokenisedBatch]):
    """Serves a plan's batches.

    `__iter__` is a generator, so nothing is drawn before Lightning has set the epoch. The loader has a random generator
    of its own, because starting a loader must not advance the one that dropout uses.
    """

    sampler: BatchPlanSampler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(  # type: ignore[misc]
            *args, **kwargs, generator=torch.Generator(), worker_init_fn=outlive_signals
        )

    def __iter__(self) -> Iterator[TokenisedBatch]:  # type: ignore[override]
        yield from super().__iter__()


class SameBatch(L.Callback):
    """Trains on epoch 0 of the plan for ever, to see whether a model can learn at all.

    With `data.batches_per_epoch=1` every step trains on the same batch.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        loader = trainer.train_dataloader
        assert isinstance(loader, PlannedLoader)
        loader.sampler.fixed_epoch = True
