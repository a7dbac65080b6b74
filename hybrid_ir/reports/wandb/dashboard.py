"""The callback that fills a run's W&B dashboard; it does nothing without a W&B logger."""

from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.loggers import WandbLogger

from hybrid_ir.evaluation.results.history import FILES, REPORTS, RESULTS, read_evaluations
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.reports.rendering.markdown import FIGURES
from hybrid_ir.reports.write import report_on
from hybrid_ir.reports.wandb.wandb_panels import batch_mix_panels, evaluation_panels, evaluation_seconds
from hybrid_ir.reports.wandb.wandb_run import EPOCHS, best_values, define_over_epochs, log_files, planned_mix, tags
from hybrid_ir.training.callbacks.observer import Evaluation, EvaluationObserver
from hybrid_ir.training.callbacks.zero_shot import macro, scalars
from hybrid_ir.training.data.datamodule import HybridDataModule
from hybrid_ir.training.module import DualEncoder


class WandbDashboard(EvaluationObserver):
    """Adds axes, tags, tables, heat maps, best values and files to what Lightning logs to W&B.

    Scalars are logged by the module and by zero-shot evaluation, to every logger alike. The callback adds its media to
    the same history row, so that tables and curves share a step.

    Args:
        run: the run's folder, the source of best values and of the files in the artifact.
    """

    def __init__(self, run: str | Path) -> None:
        self.run = Path(run)

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for run in wandb_runs(trainer):
            run.tags = tuple(dict.fromkeys((*(run.tags or ()), *tags(pl_module.hparams))))
            datamodule = trainer.datamodule  # type: ignore[attr-defined]
            if isinstance(datamodule, HybridDataModule):
                run.config.update({"batch_mix": planned_mix(datamodule.policy)}, allow_val_change=True)

    def on_evaluation_end(self, trainer: L.Trainer, evaluation: Evaluation) -> None:
        if not (runs := wandb_runs(trainer)):
            return
        best = best_values(read_evaluations(self.run), macro(evaluation.results))
        for run in runs:
            define_over_epochs(run, scalars(evaluation.results))
            row: dict[str, Any] = {EPOCHS: evaluation.epoch}
            for result in evaluation.results:
                row |= evaluation_panels(result) | evaluation_seconds(result)
            run.log(row, commit=False)
            run.summary.update(best)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not _has_wandb(trainer) or not isinstance(pl_module, DualEncoder):
            return
        # Computed by all ranks together; the module then reads the same cached values.
        values = {name: float(value) for name, value in pl_module.epoch_metrics.compute().items()}
        for run in wandb_runs(trainer):
            define_over_epochs(run, (f"train_epoch/{name}" for name in values))
            run.log({EPOCHS: trainer.current_epoch + 1} | batch_mix_panels(values), commit=False)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Upload the final results: zero-shot evaluation precedes this callback, so the final weights are evaluated."""
        if runs := wandb_runs(trainer):
            newest = self.run / RESULTS
            evaluated = newest.exists() and bool(read_results(newest).benchmarks)
            if evaluated:
                report_on(self.run)
            for run in runs:
                log_files(run, self.run, (*FILES, *REPORTS, FIGURES) if evaluated else FILES)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Upload the results so far, without the report, which would be that of an earlier attempt."""
        for run in wandb_runs(trainer):
            log_files(run, self.run)


def wandb_runs(trainer: L.Trainer) -> list[Any]:
    """The W&B runs that the first rank writes to; none on other ranks."""
    if not trainer.is_global_zero:
        return []
    return [logger.experiment for logger in trainer.loggers if isinstance(logger, WandbLogger)]


def _has_wandb(trainer: L.Trainer) -> bool:
    return any(isinstance(logger, WandbLogger) for logger in trainer.loggers)
