"""Training progress: a terminal bar or plain lines, and logged rates: pairs, tokens, and waiting for data."""

import time
from collections.abc import Callable
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.training.callbacks.display import Display, Standing, display_for
from hybrid_ir.training.callbacks.observer import Evaluation, EvaluationObserver
from hybrid_ir.training.tokenised_batch import TokenisedBatch

PAIRS, TOKENS, WAITING = "train/pairs_per_second", "train/tokens_per_second", "train/waiting_for_data"
RATES = (PAIRS, TOKENS, WAITING)


class Throughput:
    """Rates over the time from one batch's end to the next, smoothed over about `smoothing` batches.

    Time between batches counts, but evaluation does not: call `pause` before it. Waiting for data is the time between
    the end of a batch and the start of the next as the Python process sees it; a GPU may still be computing then.

    Args:
        smoothing: number of batches that rates are averaged over.
        clock: a function that returns the time in seconds.
    """

    def __init__(self, smoothing: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.smoothing, self.clock = smoothing, clock
        self._ended: float | None = None
        self._waited = 0.0
        self._sums: tuple[float, float, float, float] | None = None  # of seconds, waiting seconds, pairs, tokens

    def pause(self) -> None:
        """Leave the time until the next batch ends out of the rates."""
        self._ended = None

    def batch_started(self) -> None:
        """Call this when the next batch has arrived."""
        self._waited = 0.0 if self._ended is None else self.clock() - self._ended

    def batch_ended(self, pairs: int, tokens: int) -> None:
        """Call this when a batch has been trained on.

        Args:
            pairs: number of pairs on all ranks.
            tokens: number of tokens on all ranks without padding, or an estimate from one rank.
        """
        now = self.clock()
        if self._ended is not None:
            new = (now - self._ended, self._waited, float(pairs), float(tokens))
            keep = 0.0 if self._sums is None else 1 - 1 / self.smoothing
            seconds, waited, counted, read = (
                keep * old + (1 - keep) * value for old, value in zip(self._sums or new, new, strict=True)
            )
            self._sums = seconds, waited, counted, read
        self._ended = now

    @property
    def seconds_per_batch(self) -> float | None:
        """Seconds per batch; None before the second batch."""
        return None if self._sums is None else self._sums[0]

    @property
    def rates(self) -> dict[str, float]:
        """Values of `RATES`: pairs and tokens per second, and a share of the time; empty before the second batch."""
        if self._sums is None or self._sums[0] <= 0:
            return {}
        seconds, waited, pairs, tokens = self._sums
        return {PAIRS: pairs / seconds, TOKENS: tokens / seconds, WAITING: waited / seconds}


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
