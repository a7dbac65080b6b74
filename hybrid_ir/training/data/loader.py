"""The DataLoader of planned batches, and a callback that repeats the first epoch."""

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
    """Make a worker ignore signals to stop, so that the main process decides when it ends.

    A batch system signals every process of a job. The death of a worker would end the main process in the middle of a
    step that it was about to finish and save. The alarm ends an orphaned worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE))


class PlannedLoader(DataLoader[TokenisedBatch]):
    """A DataLoader over the batches of a plan.

    `__iter__` is a generator, so nothing is drawn before Lightning has set the epoch. The loader has a separate random
    generator, because starting a loader must not advance the one that dropout uses.
    """

    sampler: BatchPlanSampler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(  # type: ignore[misc]
            *args, **kwargs, generator=torch.Generator(), worker_init_fn=outlive_signals
        )

    def __iter__(self) -> Iterator[TokenisedBatch]:  # type: ignore[override]
        yield from super().__iter__()


class SameBatch(L.Callback):
    """Repeats epoch 0 of the plan forever, to test whether a model can learn at all.

    With `data.batches_per_epoch=1` every step trains on the same batch.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        loader = trainer.train_dataloader
        assert isinstance(loader, PlannedLoader)
        loader.sampler.fixed_epoch = True
