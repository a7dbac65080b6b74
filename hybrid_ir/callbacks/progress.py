"""The progress bar: loss, pairs a second and batch kind."""

import sys
import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import TQDMProgressBar

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.model.pair_batch import PairBatch


class TrainingProgress(TQDMProgressBar):
    """Shows and logs how fast pairs are trained on; silent where standard error is no terminal.

    The rate counts the pairs of all ranks over the time from one batch's start to the next, data loading included and
    evaluation excluded, smoothed over about `smoothing` batches.

    Args:
        smoothing: batches that the rate is averaged over.
    """

    def __init__(self, smoothing: int = 20) -> None:
        super().__init__()
        self.smoothing = smoothing
        self._started: float | None = None
        self._seconds_per_pair: float | None = None
        self._shown: dict[str, str] = {}
        if not sys.stderr.isatty():
            self.disable()

    def on_train_epoch_start(self, trainer: L.Trainer, *args: Any) -> None:
        super().on_train_epoch_start(trainer, *args)
        self._started = None

    def leave_out(self) -> None:
        """Something else than training was done just now: do not count the batch that it falls into."""
        self._started = None

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: PairBatch, batch_idx: int
    ) -> None:
        now = time.perf_counter()
        if self._started is not None:
            taken = (now - self._started) / (len(batch) * rank_and_world()[1])
            weight = 1.0 if self._seconds_per_pair is None else 1 / self.smoothing
            self._seconds_per_pair = weight * taken + (1 - weight) * (self._seconds_per_pair or 0.0)
            pl_module.log("train/pairs_per_second", 1 / self._seconds_per_pair, batch_size=len(batch))
        self._started = now
        self._shown = {"loss": f"{outputs['loss'].item():.3f}" if self.is_enabled else "", "kind": batch.kind}
        if self._seconds_per_pair is not None:
            self._shown["pairs/s"] = f"{1 / self._seconds_per_pair:.0f}"
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        return dict(self._shown)
