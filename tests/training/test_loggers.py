"""Every logger is told the same, and none of them changes the run."""

import csv
import json
from pathlib import Path

import pytest
from torch import Tensor

from hybrid_ir.training.callbacks.observer import close_loggers
from hybrid_ir.training.callbacks.progress import RATES
from tests.training.conftest import Configure, Run


def test_loggers_do_not_change_the_numbers_and_hold_every_evaluation(configure: Configure, tmp_path: Path) -> None:
    def run(logger: str, folder: str) -> tuple[dict[str, Tensor], dict[str, float]]:
        overrides = ["logger.wandb.offline=true"] if "wandb" in logger else []
        fitted = Run(configure(f"logger={logger}", *overrides, "trainer.max_epochs=1", run=folder)).fit()
        close_loggers(fitted.trainer)
        stored = json.loads((tmp_path / folder / "results.json").read_text())["metrics"]
        metrics = {name: value for name, value in fitted.trainer.callback_metrics.items() if name not in RATES}
        return metrics, stored

    plain = run("none", "plain")
    assert plain[1].keys() >= {"world/multilingual/map", "world/crosslingual/map/de-en"}
    assert run("[csv,tensorboard,wandb]", "run") == plain

    rows = list(csv.DictReader((tmp_path / "run" / "csv" / "version_0" / "metrics.csv").open()))
    logged = [(int(row["step"]), float(row["world/rank_distance"])) for row in rows if row["world/rank_distance"]]
    stored = [
        json.loads((tmp_path / "run" / "evaluations" / f"step_{step:06d}.json").read_text())["metrics"]
        for step in (0, 6)
    ]
    assert [value for _, value in logged] == pytest.approx([metrics["world/rank_distance"] for metrics in stored])
    assert [step for step, _ in logged] == [0, 5]
