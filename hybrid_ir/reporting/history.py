"""The results of a run, as they come, in its folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hybrid_ir.retrieval.files import read_results, write_results, write_table
from hybrid_ir.retrieval.per_query import write_per_query
from hybrid_ir.retrieval.result import Result
from hybrid_ir.sources.atomic import replacing

RESULTS, PER_QUERY, RUNS, EVALUATIONS = "results.json", "per_query.parquet", "runs", "evaluations"


class RunHistory:
    """Writes every evaluation of a run: `results.json`, `results.csv` and `per_query.parquet` for the newest.

    `config.yaml` is the configuration that the run was started with.
    `evaluations/step_000300.json` has the form of `results.json` and holds what was found after 300 optimiser steps.
    `per_query.parquet` has the values of single queries, which `python -m hybrid_ir.reporting` compares runs by.
    Files appear whole or not at all. A resumed run goes on in the same folder.

    Args:
        run: the run's folder.
        provenance: written along, see `hybrid_ir.reporting.provenance`; its `config` is the resolved configuration.
    """

    def __init__(self, run: Path, provenance: Mapping[str, Any]) -> None:
        self.run, self.provenance = run, dict(provenance)
        config = run / "config.yaml"
        if not config.exists():  # a resumed run keeps the configuration it was started with
            run.mkdir(parents=True, exist_ok=True)
            with replacing(config) as draft:
                draft.write_text(OmegaConf.to_yaml(self.provenance["config"]), encoding="utf-8")

    def add(self, step: int, epoch: int, results: Sequence[Result], model: Mapping[str, Any] | None = None) -> None:
        """Write the results of an evaluation after `step` optimiser steps and `epoch` epochs.

        Args:
            step: optimiser steps that the model has taken.
            epoch: epochs that it has seen.
            results: of one model, a benchmark each.
            model: what was evaluated, such as `TextEncoder.describe` says.
        """
        provenance = self.provenance | {"step": step, "epoch": epoch, "model": dict(model or {})}
        write_per_query(self.run / PER_QUERY, results)
        for path in (self._evaluation(step), self.run / RESULTS):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_results(path, results, provenance)
        write_table(self.run / "results.csv", results)

    def before_training(self) -> dict[str, float]:
        """Metrics at step 0; empty where that was not evaluated."""
        path = self._evaluation(0)
        return dict(read_results(path).metrics) if path.exists() else {}

    def newest(self) -> dict[str, float]:
        """Metrics of the newest evaluation; empty where there was none."""
        path = self.run / RESULTS
        return dict(read_results(path).metrics) if path.exists() else {}

    def _evaluation(self, step: int) -> Path:
        return self.run / EVALUATIONS / f"step_{step:06d}.json"
