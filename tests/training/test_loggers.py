"""Every logger is told the same, and none of them changes the run."""

import csv
import json
from pathlib import Path

import pytest

from hybrid_ir.reporting.loggers import close_loggers

from .conftest import Configure, Run


@pytest.mark.parametrize("logger", ["csv", "tensorboard", "wandb", "[csv,tensorboard]"])
def test_loggers_do_not_change_the_numbers(configure: Configure, tmp_path: Path, logger: str) -> None:
    offline = ["logger.wandb.offline=true"] if logger == "wandb" else []
    run = Run(configure(f"logger={logger}", *offline, "trainer.max_epochs=1")).fit()
    close_loggers(run.trainer)
    plain = Run(configure("trainer.max_epochs=1", run="plain")).fit()
    assert run.trainer.callback_metrics.keys() == plain.trainer.callback_metrics.keys()
    for name, value in plain.trainer.callback_metrics.items():
        assert "second" in name or run.trainer.callback_metrics[name] == value, name


def test_csv_holds_the_evaluation_before_training_and_after(configure: Configure, tmp_path: Path) -> None:
    Run(configure("logger=csv", "trainer.max_epochs=1")).fit()
    rows = list(csv.DictReader((tmp_path / "run" / "csv" / "version_0" / "metrics.csv").open()))
    logged = [(int(row["step"]), float(row["world/rank_distance"])) for row in rows if row["world/rank_distance"]]
    stored = [
        json.loads((tmp_path / "run" / "evaluations" / f"step_{step:06d}.json").read_text())["metrics"]
        for step in (0, 6)
    ]
    assert [value for _, value in logged] == pytest.approx([metrics["world/rank_distance"] for metrics in stored])
    assert [step for step, _ in logged] == [0, 5]


def test_wandb_offline_gets_a_table_of_all_settings(configure: Configure, tmp_path: Path) -> None:
    run = Run(configure("logger=wandb", "logger.wandb.offline=true", "trainer.max_epochs=1")).fit()
    close_loggers(run.trainer)
    tables = sorted((tmp_path / "run" / "wandb").glob("offline-run-*/files/media/table/world/*.table.json"))
    assert len(tables) == 2  # before training and after the epoch
    table = json.loads(tables[-1].read_text())
    assert {"setting", "query_language", "pool", "measure", "value"} <= set(table["columns"])
    assert len(table["data"]) == 2 * 2 + 2 * 2 + 2 * 5  # settings times measures, of two languages
