"""Training progress: a terminal bar or plain lines, and logged rates."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.training.callbacks.display import Display, Standing, display_for
from hybrid_ir.training.callbacks.observer import Evaluation, EvaluationObserver
from hybrid_ir.training.callbacks.throughput import PAIRS, Throughput
from hybrid_ir.training.tokenised_batch import TokenisedBatch


class TrainingProgress(ProgressBar, EvaluationObserver):
    """Progress bar with epoch, step, loss, batch kind, pairs a second and the time left; logs `throughput.RATES`.

    In a terminal it redraws one line; otherwise it writes a plain line now and then.

    Args:
        smoothing: number of batches that rates are averaged over.
        display: where to show progress; None chooses by the kind of standard output.
    """

    def __init__(self, smoothing: int = 20, display: Display | None = None) -> None:
        super().__init__()
        self.throughput = Throughput(smoothing)
        self.display = display or display_for(Console())
        self._enabled = True

    def disable(self) -> None:
        """Show nothing; Lightning calls this on all ranks but the first. Rates are still measured."""
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.throughput.pause()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: TokenisedBatch, batch_idx: int
    ) -> None:
        self.throughput.batch_started()

    def leave_out(self) -> None:
        """Leave the time until the next batch ends out of the rates: something other than training runs in it."""
        self.throughput.pause()
        self.display.clear()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: TokenisedBatch, batch_idx: int
    ) -> None:
        world = rank_and_world()[1]
        self.throughput.batch_ended(len(batch) * world, sum(batch.tokens.lengths) * world)
        for name, value in self.throughput.rates.items():
            pl_module.log(name, value, batch_size=len(batch))
        if not self._enabled:
            return
        standing = self._standing(trainer, outputs, batch)
        if standing is not None:
            self.display.show(standing)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.throughput.pause()
        if self._enabled:
            self.display.evaluating("validation batches", trainer.global_step)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.display.clear()

    def on_evaluation_start(self, trainer: L.Trainer, benchmark: str) -> None:
        if self._enabled:
            self.display.evaluating(benchmark, trainer.global_step)

    def on_evaluation_end(self, trainer: L.Trainer, evaluation: Evaluation) -> None:
        self.display.clear()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.display.clear()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self.display.clear()

    def _standing(self, trainer: L.Trainer, outputs: Any, batch: TokenisedBatch) -> Standing | None:
        """The state of training to show; None if no update is due."""
        steps = int(trainer.estimated_stepping_batches)
        step, seconds = trainer.global_step, self.throughput.seconds_per_batch
        if step != steps and (seconds is None or not self.display.due()):
            return None
        left = None
        if seconds is not None:
            left = (steps - step) * trainer.accumulate_grad_batches * seconds
        return Standing(
            epoch=trainer.current_epoch + 1,
            epochs=trainer.max_epochs if trainer.max_epochs not in (None, -1) else None,
            step=step,
            steps=steps,
            loss=float(outputs["loss"]),
            kind=batch.kind,
            pairs_per_second=self.throughput.rates.get(PAIRS),
            seconds_left=left,
        )
