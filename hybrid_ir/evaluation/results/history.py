"""The evaluation results of a training run, written to its folder as they arrive."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hybrid_ir.evaluation.results.per_query import write_per_query
from hybrid_ir.evaluation.results.result import Result
from hybrid_ir.evaluation.results.result_files import StoredResults, read_results, write_results, write_table
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.json_file import read_json_object

RESULTS, TABLE, PER_QUERY, RUNS, EVALUATIONS = "results.json", "results.csv", "per_query.parquet", "runs", "evaluations"
TRAINED = "training.json"
REPORTS = ("report.html", "report.md")
CONFIG, STARTED = "config.yaml", "config.started.yaml"
FILES = (CONFIG, STARTED, RESULTS, TABLE, PER_QUERY)  # files of a run's folder; some may be absent


class RunHistory:
    """Writes every evaluation of a run: `results.json`, `results.csv` and `per_query.parquet` for the newest.

    `config.yaml` is the configuration that the run was started with, see `adopt_changes`.
    `evaluations/step_000300.json` has the form of `results.json` and holds the results after 300 optimiser steps;
    `evaluations/subset_step_000300.json` holds those on subsets of the benchmarks, which no other file has.
    `per_query.parquet` has the values of single queries, by which `python -m hybrid_ir report` compares runs.
    `training.json` has the last metrics of training itself, such as `validation/loss`, once training has ended.
    Files are written atomically. A resumed run continues in the same folder.

    Args:
        run: the run's folder.
        provenance: stored with the results, see `hybrid_ir.launch.provenance`; its `config` is the resolved
            configuration.
    """

    def __init__(self, run: Path, provenance: Mapping[str, Any]) -> None:
        self.run, self.provenance = run, dict(provenance)
        if not (run / CONFIG).exists():  # a resumed run keeps the configuration it was started with
            run.mkdir(parents=True, exist_ok=True)
            self._write(CONFIG, self._config)

    def adopt_changes(self) -> None:
        """Update `config.yaml` for a run that is resumed with `resume_changes`.

        The configuration that the run started with is kept as `config.started.yaml`.
        """
        before = (self.run / CONFIG).read_text(encoding="utf-8")
        if self.provenance["config"].get("resume_changes") and before != self._config:
            if not (self.run / STARTED).exists():
                self._write(STARTED, before)
            self._write(CONFIG, self._config)

    def add(self, step: int, epoch: int, results: Sequence[Result], model: Mapping[str, Any] | None = None) -> None:
        """Write the results of an evaluation after `step` optimiser steps and `epoch` epochs.

        Args:
            step: optimiser steps that the model has taken.
            epoch: epochs that it has seen.
            results: results of one model, one for each benchmark.
            model: description of the model, such as `TextEncoder.describe`.
        """
        provenance = self._provenance(step, epoch, model)
        path = self._evaluation(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_results(path, results, provenance)  # first, so that no fault in the other files loses it
        write_per_query(self.run / PER_QUERY, results)
        write_results(self.run / RESULTS, results, provenance)
        write_table(self.run / TABLE, results)

    def add_subset(
        self, step: int, epoch: int, results: Sequence[Result], model: Mapping[str, Any] | None = None
    ) -> None:
        """Write the results on subsets of the benchmarks; arguments as in `add`."""
        path = self._evaluation(step, "subset_")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_results(path, results, self._provenance(step, epoch, model))

    def add_training(self, step: int, logged: Mapping[str, Any]) -> None:
        """Write the last metrics of training itself, from which later commands read the objective."""
        content = {"step": step, "metrics": {name: float(value) for name, value in logged.items()}}
        with replacing(self.run / TRAINED) as draft:
            draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def training(self, since: int = 0) -> dict[str, float]:
        """The last metrics of training itself; empty if it has not ended, or ended before step `since`."""
        path = self.run / TRAINED
        if not path.exists():
            return {}
        content = read_json_object(path)
        metrics, step = content.get("metrics"), content.get("step")
        if not isinstance(metrics, dict) or type(step) is not int:
            raise InputError(path, "holds no metrics, or no step")
        return {str(name): float(value) for name, value in metrics.items()} if step >= since else {}

    def before_training(self) -> dict[str, float]:
        """Metrics at step 0; empty if there was no evaluation before training."""
        path = self._evaluation(0)
        return dict(read_results(path).metrics) if path.exists() else {}

    def newest(self) -> StoredResults | None:
        """The newest evaluation; None if there is none."""
        path = self.run / RESULTS
        return read_results(path) if path.exists() else None

    def metrics(self) -> dict[str, float]:
        """The last metrics of training itself, and those of the newest evaluation."""
        newest = self.newest()
        return self.training() | dict(newest.metrics if newest else {})

    @property
    def _config(self) -> str:
        return OmegaConf.to_yaml(self.provenance["config"])

    def _write(self, name: str, text: str) -> None:
        with replacing(self.run / name) as draft:
            draft.write_text(text, encoding="utf-8")

    def _provenance(self, step: int, epoch: int, model: Mapping[str, Any] | None) -> dict[str, Any]:
        return self.provenance | {"step": step, "epoch": epoch, "model": dict(model or {})}

    def _evaluation(self, step: int, kind: str = "") -> Path:
        return self.run / EVALUATIONS / f"{kind}step_{step:06d}.json"


def read_evaluations(run: Path) -> list[Mapping[str, float]]:
    """Metrics of every evaluation in a run's folder in the order of steps, including those before a resumption."""
    return [read_results(path).metrics for path in sorted((run / EVALUATIONS).glob("step_*.json"))]
