"""The results of a run, as they come, in its folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hybrid_ir.retrieval.files import read_results, write_results, write_table
from hybrid_ir.retrieval.result import Result
from hybrid_ir.sources.atomic import replacing


class RunHistory:
    """Writes every evaluation of a run: `results.json` and `results.csv` for the newest, `evaluations/` for each.

    `config.yaml` is the configuration that the run was started with.
    `evaluations/step_000300.json` has the form of `results.json` and holds what was found after 300 optimiser steps.
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

    def add(self, step: int, epoch: int, results: Sequence[Result]) -> None:
        """Write the results of an evaluation after `step` optimiser steps and `epoch` epochs."""
        provenance = self.provenance | {"step": step, "epoch": epoch}
        for path in (self._evaluation(step), self.run / "results.json"):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_results(path, results, provenance)
        write_table(self.run / "results.csv", results)

    def before_training(self) -> dict[str, float]:
        """Metrics at step 0; empty where that was not evaluated."""
        path = self._evaluation(0)
        return dict(read_results(path).metrics) if path.exists() else {}

    def newest(self) -> dict[str, float]:
        """Metrics of the newest evaluation; empty where there was none."""
        path = self.run / "results.json"
        return dict(read_results(path).metrics) if path.exists() else {}

    def _evaluation(self, step: int) -> Path:
        return self.run / "evaluations" / f"step_{step:06d}.json"
