"""Callbacks and helpers that look inside runs, interrupt them and resume them."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from hybrid_ir.launch.resuming import resume_point
from hybrid_ir.training.tokenised_batch import TokenisedBatch
from tests.training.conftest import Configure, Run


class Recorder(L.Callback):
    """Writes down every batch: epoch, kind, example ids, languages, loss."""

    def __init__(self) -> None:
        self.batches: list[tuple] = []

    @property
    def losses(self) -> list[float]:
        return [entry[-1] for entry in self.batches]

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: TokenisedBatch, batch_idx: int
    ) -> None:
        languages = batch.question_languages, batch.passage_languages
        self.batches.append((trainer.current_epoch, batch.kind, batch.example_ids, *languages, float(outputs["loss"])))


class Gradients(L.Callback):
    """Keeps every parameter's gradient as the optimiser meets it."""

    def __init__(self) -> None:
        self.steps: list[dict[str, torch.Tensor]] = []

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any) -> None:
        self.steps.append({name: p.grad.clone() for name, p in pl_module.named_parameters() if p.grad is not None})


class At(L.Callback):
    """Acts once, in a hook, after a number of optimiser steps."""

    def __init__(self, hook: str, steps: int, act: Callable[[], Any]) -> None:
        self.steps, self.act, self.done = steps, act, False
        setattr(self, hook, self._maybe)

    def _maybe(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_step >= self.steps and not self.done:
            self.done = True
            self.act()


def kill(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def interrupt() -> None:
    """Ends a run as a crash would."""
    raise InterruptedError


def every_steps(folder: Path, steps: int) -> ModelCheckpoint:
    return ModelCheckpoint(folder, filename="{step}", every_n_train_steps=steps, save_top_k=-1)


def content(folder: Path, name: str = "last.ckpt") -> dict[str, Any]:
    """A checkpoint of the run in `folder`, read without pickle."""
    loaded: dict[str, Any] = torch.load(folder / "checkpoints" / name, weights_only=True)
    return loaded


def assert_same_end(one: Path, other: Path) -> None:
    """Position, weights, moments, counters and metrics of the last checkpoints are equal, bit by bit."""
    ours, theirs = content(one), content(other)
    assert ours["HybridDataModule"] == theirs["HybridDataModule"]
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "global_step"):
        torch.testing.assert_close(ours[part], theirs[part], rtol=0, atol=0)


def resume(configure: Configure, *options: str, run: str = "run", callbacks: tuple[L.Callback, ...] = ()) -> Run:
    cfg = configure(*options, "ckpt_path=last", run=run)
    point = resume_point(cfg)
    assert point is not None
    return Run(cfg, *callbacks).fit(point.path)
