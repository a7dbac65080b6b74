"""The callback that fills a run's W&B dashboard, and the run's axes, tags and files; does nothing without a W&B logger."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from lightning.pytorch.loggers import WandbLogger

from hybrid_ir.evaluation.measures.measures import better
from hybrid_ir.evaluation.results.history import FILES, REPORTS, RESULTS, read_evaluations
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.reports.build_report import report_on
from hybrid_ir.reports.rendering.markdown import FIGURES
from hybrid_ir.reports.wandb.wandb_panels import batch_mix_panels, evaluation_panels, evaluation_seconds
from hybrid_ir.sampling.policy import KINDS, BatchPolicy
from hybrid_ir.training.callbacks.observer import Evaluation, EvaluationObserver
from hybrid_ir.training.callbacks.zero_shot import macro, scalars
from hybrid_ir.training.data.datamodule import HybridDataModule
from hybrid_ir.training.module import DualEncoder

EPOCHS = "epochs_trained"
BEST = "best"
LONGEST_TAG = 64  # characters; W&B refuses longer ones


def define_over_epochs(run: Any, names: Iterable[str]) -> None:
    """Plot these metrics over completed epochs (0 is before training); they can still be plotted over steps.

    Names are given one by one, since a pattern would also match tables and media. Everything else is plotted over
    `trainer/global_step`, which Lightning's logger defines.
    """
    run.define_metric(EPOCHS, hidden=True)
    for name in names:
        run.define_metric(name, step_metric=EPOCHS)


def tags(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Tags for filtering runs: backbone, sampler, corpora and benchmarks."""
    names = [config.get(group, {}).get("name") for group in ("model", "sampler")]
    names += config.get("data", {}).get("corpora", {})
    names += [benchmark.get("name") for benchmark in config.get("eval", {}).get("benchmarks", {}).values()]
    return tuple(dict.fromkeys(str(name)[:LONGEST_TAG] for name in names if name))


def planned_mix(policy: BatchPolicy) -> dict[str, float]:
    """The probability of each kind of batch, for any sampler; that of `monolingual` is the paper's alpha.

    If alpha has a schedule, it is the schedule's last value.
    """
    (shares,) = policy.shares(np.ones(1)).tolist()
    return dict.fromkeys(KINDS, 0.0) | dict(zip(policy.kinds, shares, strict=True))


def best_values(evaluations: Iterable[Mapping[str, float]], names: Iterable[str]) -> dict[str, float]:
    """The best value of each of these macro averages over all evaluations; they may be from different epochs."""
    best: dict[str, float] = {}
    for name, metrics in product(names, evaluations):
        if name in metrics and (name not in best or better(name, metrics[name], best[name])):
            best[name] = metrics[name]
    return {f"{BEST}/{name}": value for name, value in best.items()}


def log_files(run: Any, folder: Path, names: Iterable[str] = FILES) -> None:
    """Upload the existing ones of these files and subfolders of a run's folder as the artifact `run-ID-results`.

    Without any, there is no artifact. W&B keeps copies, so the files may change later, when the run is resumed.
    """
    import wandb

    found = [folder / name for name in names if (folder / name).exists()]
    if not found:
        return
    artifact = wandb.Artifact(f"run-{run.id}-results", type="results")
    for path in found:
        if path.is_dir():
            artifact.add_dir(str(path), name=path.name)
        else:
            artifact.add_file(str(path), name=path.name)
    run.log_artifact(artifact)


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
