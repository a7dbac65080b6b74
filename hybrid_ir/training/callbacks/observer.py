"""What follows zero-shot evaluation while a run is going on: dashboards, progress displays."""

from collections.abc import Sequence
from dataclasses import dataclass

import lightning as L

from hybrid_ir.evaluation.results.result import Result


@dataclass(frozen=True)
class Evaluation:
    """An evaluation in the course of a run.

    Attributes:
        step: optimiser steps that the model had taken.
        epoch: epochs that it had completed; 0 before training.
        results: one a benchmark.
    """

    step: int
    epoch: int
    results: Sequence[Result]


class EvaluationObserver(L.Callback):
    """A callback that `ZeroShotEvaluation` tells of its evaluations, on the first rank alone.

    What an observer does in these hooks must not wait for other ranks.
    """

    def on_evaluation_start(self, trainer: L.Trainer, benchmark: str) -> None:
        """Called before each benchmark is evaluated."""

    def on_evaluation_end(self, trainer: L.Trainer, evaluation: Evaluation) -> None:
        """Called once all benchmarks are evaluated and the run's files are written, before the metrics are logged."""


def observers(trainer: L.Trainer) -> list[EvaluationObserver]:
    """The observers to tell: those of the first rank's Trainer, in its order."""
    if not trainer.is_global_zero:
        return []
    return [callback for callback in trainer.callbacks if isinstance(callback, EvaluationObserver)]  # type: ignore[attr-defined]
