"""Hooks for callbacks that observe zero-shot evaluations during training (dashboards, progress), and for loggers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightning as L
from lightning.pytorch.loggers import WandbLogger

from hybrid_ir.evaluation.results.result import Result


@dataclass(frozen=True)
class Evaluation:
    """The results of one evaluation during a run.

    Attributes:
        step: optimiser steps that the model had taken.
        epoch: epochs that it had completed; 0 before training.
        results: one for each benchmark.
    """

    step: int
    epoch: int
    results: Sequence[Result]


class EvaluationObserver(L.Callback):
    """A callback that `ZeroShotEvaluation` notifies of its evaluations, on the first rank only.

    The hooks must not wait for other ranks.
    """

    def on_evaluation_start(self, trainer: L.Trainer, benchmark: str) -> None:
        """Called before each benchmark is evaluated."""

    def on_evaluation_end(self, trainer: L.Trainer, evaluation: Evaluation) -> None:
        """Called once all benchmarks are evaluated and the run's files are written, before the metrics are logged."""


def observers(trainer: L.Trainer) -> list[EvaluationObserver]:
    """The observers to notify, in the Trainer's order; none on ranks other than the first."""
    if not trainer.is_global_zero:
        return []
    return [callback for callback in trainer.callbacks if isinstance(callback, EvaluationObserver)]  # type: ignore[attr-defined]


def log_scalars(trainer: L.Trainer, metrics: Mapping[str, float], step: int) -> None:
    """Write scalars to every logger at `step`."""
    for logger in trainer.loggers:
        logger.log_metrics(dict(metrics), step=step)


def close_loggers(trainer: L.Trainer) -> None:
    """Finish the W&B run, as failed if training failed, so that the next job does not write into it."""
    if any(isinstance(logger, WandbLogger) for logger in trainer.loggers):
        import wandb

        wandb.finish(exit_code=0 if trainer.state.finished else 1)
