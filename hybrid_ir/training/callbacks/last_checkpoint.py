"""The newest checkpoint of a run, written after epochs, every few steps or minutes, and on a signal to stop."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint

from hybrid_ir.distributed import rank_and_world, sum_over_ranks
from hybrid_ir.sources.atomic import remove_drafts, replacing
from hybrid_ir.sources.own_folder import refuse_links
from hybrid_ir.training.callbacks.checkpoint_io import AtomicCheckpointIO
from hybrid_ir.training.callbacks.stop_signals import StoppedBySignalError, StopSignals

LAST, PREVIOUS = "last.ckpt", "previous.ckpt"


class LastCheckpoint(Checkpoint):
    """Keeps the newest checkpoint as `last.ckpt`, and the one before it as `previous.ckpt`.

    It is written after every epoch and its evaluation, and in between at intervals of steps and of time; never between
    the last step of an epoch and its evaluation, because a run resumed from there would skip the evaluation. With
    gradient accumulation it waits for the optimiser step. Both files are intact at any moment; on a file system without
    hard links, only `previous.ckpt` exists while the next checkpoint is written.

    On SIGTERM or Ctrl-C to any process, all processes finish the step (and a running evaluation), write `last.ckpt` and
    exit with status 143 or 130. See `StopSignals` for jobs of submitit.

    Args:
        folder: folder of the checkpoints.
        every_n_steps: write after every n-th optimiser step; None for never.
        every_n_minutes: write n minutes after the last checkpoint; None for never.

    Raises:
        ValueError: an interval is not positive.
        RuntimeError: training ended, and its last checkpoint could not be written.
    """

    def __init__(self, folder: str, every_n_steps: int | None = None, every_n_minutes: float | None = None) -> None:
        for name, interval in (("every_n_steps", every_n_steps), ("every_n_minutes", every_n_minutes)):
            if interval is not None and interval <= 0:
                raise ValueError(f"callbacks.last.{name} is {interval}; it must be positive, or null for never")
        self.folder = Path(folder)
        self.every_n_steps, self.every_n_minutes = every_n_steps, every_n_minutes
        self.signals = StopSignals()
        self._saved_step = self._seen_step = -1
        self._saved_at = 0.0
        self._stop: signal.Signals | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if trainer.is_global_zero:
            refuse_links(self.folder)
            remove_drafts(self.folder)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start to handle signals. This callback comes last, so the evaluation before training has finished."""
        if trainer.received_sigterm:
            raise self._stopped(signal.SIGTERM, "before the first step; there was nothing to save")
        self._saved_step = self._seen_step = trainer.global_step
        self._saved_at = time.monotonic()
        self.signals.install()

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        stepped, self._seen_step = trainer.global_step > self._seen_step, trainer.global_step
        if not stepped or ends_epoch(trainer):
            return
        by_steps = self.every_n_steps is not None and trainer.global_step % self.every_n_steps == 0
        by_time = self._agree()
        if by_steps or by_time or self._stop:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._agree()
        self._save(trainer)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._leave(trainer)

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        """Stop here and not right after saving, because the step's metrics are logged in between."""
        self._leave(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.signals.restore()
        if self._failure(trainer):
            self._save(trainer)
        if failure := self._failure(trainer):
            raise RuntimeError(
                f"training ended at step {trainer.global_step}, but its last checkpoint could not be written to "
                f"{self.folder} ({failure}); make room, and resume with ckpt_path=last from the checkpoint before"
            )

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self.signals.restore()

    def _agree(self) -> bool:
        """Share with all processes whether any received a signal; returns whether a checkpoint is due on the first."""
        waited = time.monotonic() - self._saved_at
        due = rank_and_world()[0] == 0 and self.every_n_minutes is not None and waited >= 60 * self.every_n_minutes
        told = [float(self.signals.received == number) for number in (signal.SIGTERM, signal.SIGINT)]
        by_time, term, interrupt = sum_over_ranks(torch.tensor([float(due), *told])).tolist()
        if term or interrupt:
            self._stop = signal.SIGTERM if term else signal.SIGINT
        return bool(by_time)

    def _save(self, trainer: L.Trainer) -> None:
        if trainer.is_global_zero and (self.folder / LAST).exists():
            self._keep_previous()
        trainer.save_checkpoint(self.folder / LAST)
        self._saved_step, self._saved_at = trainer.global_step, time.monotonic()

    def _keep_previous(self) -> None:
        """Link `last.ckpt` as `previous.ckpt` before it is replaced; without hard links, rename it."""
        last, previous = self.folder / LAST, self.folder / PREVIOUS
        try:
            with replacing(previous) as draft:
                os.link(last, draft)
        except OSError:  # no hard links; on a broken file system, the next write fails with the reason
            with suppress(OSError):
                os.replace(last, previous)

    def _leave(self, trainer: L.Trainer) -> None:
        if self._stop is None:
            return
        failure = self._failure(trainer)
        saved = f"NOT saved ({failure})" if failure else f"saved to {self.folder / LAST}"
        raise self._stopped(self._stop, f"after step {self._saved_step}, which is {saved}")

    @staticmethod
    def _stopped(number: signal.Signals, where: str) -> StoppedBySignalError:
        first = rank_and_world()[0] == 0
        if first:
            print(f"stopped by {number.name} {where}; resume with ckpt_path=last", file=sys.stderr)
        # The others exit with status 0: otherwise Lightning's launcher kills the first, which has loggers to close.
        return StoppedBySignalError(128 + number if first else 0)

    def _failure(self, trainer: L.Trainer) -> str | None:
        """The reason why the first process could not write `last.ckpt`, shared with all processes; None if it could."""
        files = trainer.strategy.checkpoint_io
        reason = files.failed.get(self.folder / LAST) if isinstance(files, AtomicCheckpointIO) else None
        shared: str | None = trainer.strategy.broadcast(reason)
        return shared


def ends_epoch(trainer: L.Trainer) -> bool:
    """Whether the batch that was just trained on is the last of its epoch, or of the whole run."""
    last: bool = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
    return last or trainer.global_step == trainer.max_steps
