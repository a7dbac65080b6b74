"""Frequent zero-shot evaluation during training, on a fixed subset of each benchmark."""

from collections.abc import Mapping, Sequence
from typing import Any

import lightning as L
from lightning.pytorch.utilities import rank_zero_only

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.console import print_headline
from hybrid_ir.evaluation.results.history import RunHistory
from hybrid_ir.evaluation.results.result import Result
from hybrid_ir.evaluation.vectors.encoder import FULL, DescribedEncoder, at_precision
from hybrid_ir.training.callbacks.last_checkpoint import ends_epoch
from hybrid_ir.training.callbacks.observer import log_scalars, observers
from hybrid_ir.training.callbacks.progress import TrainingProgress
from hybrid_ir.training.callbacks.zero_shot import macro, scalars
from hybrid_ir.training.module import DualEncoder


class SubsetEvaluation(L.Callback):
    """Evaluates the encoder every few optimiser steps and at the end of every epoch.

    Metrics carry the names of the subsets (`xquad_r_subset/multilingual/map`), and files the callback's name, so they
    cannot be mistaken for the full benchmark's. Every rank takes part and gets the same metrics. They are computed at
    the end of every epoch, so early stopping does not depend on where a run was resumed. The callback does not affect
    weights, dropout or the order of batches.

    Args:
        subsets: the subsets to evaluate on, from `hybrid_ir.evaluation.benchmarks.subset`.
        history: writes the results to the run's folder.
        measures: setting -> names of measures, for benchmarks without measures of their own.
        every_n_steps: evaluate after every n-th optimiser step.
        precision: precision of the embedding, see `at_precision`.
    """

    def __init__(
        self,
        subsets: Sequence[Benchmark],
        history: RunHistory,
        measures: Mapping[str, Sequence[str]],
        every_n_steps: int,
        precision: str = FULL,
    ) -> None:
        self.subsets, self.history, self.measures, self.every_n_steps = subsets, history, measures, every_n_steps
        self.precision = precision
        self._evaluated_step = 0
        self._metrics: dict[str, float] = {}

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        step = trainer.global_step
        # A step may have several batches (accumulate_grad_batches).
        if step % self.every_n_steps == 0 and step != self._evaluated_step:
            self._evaluate(trainer, pl_module, trainer.current_epoch + ends_epoch(trainer))
            pl_module.log_dict(self._metrics, on_step=True, on_epoch=False, logger=False)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step != self._evaluated_step:
            self._evaluate(trainer, pl_module, trainer.current_epoch + 1)
        pl_module.log_dict(self._metrics, logger=False)

    def _evaluate(self, trainer: L.Trainer, pl_module: L.LightningModule, epoch: int) -> None:
        assert isinstance(pl_module, DualEncoder)
        results = []
        system = at_precision(pl_module, self.precision, pl_module.device)
        for part in self.subsets:
            for observer in observers(trainer):
                observer.on_evaluation_start(trainer, part.name)
            results.append(evaluate(system, part, self.measures, device=pl_module.device))
        self._evaluated_step, self._metrics = trainer.global_step, scalars(results)
        # Not by pl_module.log, whose values reach loggers only every log_every_n_steps.
        log_scalars(trainer, self._metrics, trainer.global_step)
        self._render(trainer, system, epoch, results)
        if isinstance(trainer.progress_bar_callback, TrainingProgress):
            trainer.progress_bar_callback.leave_out()

    @rank_zero_only
    def _render(self, trainer: L.Trainer, system: DescribedEncoder, epoch: int, results: Sequence[Result]) -> None:
        self.history.add_subset(trainer.global_step, epoch, results, system.describe())
        print_headline(macro(results), {}, f"zero-shot on subsets at step {trainer.global_step} (epoch {epoch})")
