"""The W&B dashboard of a run, read back from what W&B wrote offline."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lightning.pytorch.loggers import WandbLogger

from hybrid_ir.reports.rendering import numerals
from hybrid_ir.reports.wandb.dashboard import wandb_runs
from hybrid_ir.training.callbacks.observer import close_loggers
from tests.reports.offline_wandb import OfflineRun, read_offline
from tests.training.conftest import Configure, Run, tiny_runs
from tests.training.probes import At

WANDB = ("logger=wandb", "logger.wandb.offline=true", "+logger.wandb.tags=[mine]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder: two epochs, evaluated before training and after each."""
    place = tmp_path_factory.mktemp("dashboard")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DATA_DIR", str(place / "wandb_data"))
        measures = "eval.measures.multilingual=[map,rank_distance,language_share@3]"
        run = Run(tiny_runs(place)(*WANDB, measures)).fit()
        close_loggers(run.trainer)
    return place / "run"


@pytest.fixture(scope="module")
def logged(folder: Path) -> OfflineRun:
    return read_offline(folder)


def evaluations(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "evaluations").iterdir())]


def test_curves_are_the_results_over_epochs_and_steps(folder: Path, logged: OfflineRun) -> None:
    stored = evaluations(folder)
    curves = 0
    for name in stored[0]["metrics"]:
        if "crosslingual/" in name and name.count("/") == 3:
            continue  # pairs of languages go into tables
        assert logged.curves[name] == pytest.approx([evaluation["metrics"][name] for evaluation in stored], rel=1e-6)
        assert logged.axes[name] == "epochs_trained"
        rows = [row for row in logged.rows if name in row]
        assert [row["epochs_trained"] for row in rows] == [0, 1, 2]
        assert [row["trainer/global_step"] for row in rows] == [0, 5, 11]
        curves += 1
    assert curves == 2 + 2 + 4 + 2 * (2 + 4)  # macro averages of three settings, then two languages of two


def test_training_is_drawn_over_steps_and_epochs(logged: OfflineRun) -> None:
    assert logged.axes["*"] == "trainer/global_step"
    assert len(logged.curves["train/loss"]) == 12 and "train/loss" not in logged.axes
    for name in ("train_epoch/loss", "train_epoch/share/monolingual", "train_epoch/share/question/de"):
        assert logged.axes[name] == "epochs_trained"
        assert [row["epochs_trained"] for row in logged.rows if name in row] == [1, 2]
    assert len(logged.curves["train/tokens_per_second"]) >= 10


def test_realised_batch_mix(logged: OfflineRun) -> None:
    for number, text in enumerate(logged.media("train_epoch/batch_mix")):
        lines = {line[0]: line[1:] for line in json.loads(text)["data"]}
        for kind in ("monolingual", "crosslingual"):
            share = logged.curves[f"train_epoch/share/{kind}"][number]
            assert lines[kind] == [pytest.approx(share, rel=1e-6), None, None]
        assert [lines[code][0] for code in ("de", "en", "es")] == [None] * 3
        assert sum(lines[code][1] for code in ("de", "en", "es")) == pytest.approx(1)
    assert number == 1


def test_tables_hold_the_results(folder: Path, logged: OfflineRun) -> None:
    settings, languages, matrices, shares = (
        logged.media(f"world/{key}") for key in ("settings", "languages", "matrix/map", "matrix/language_share@3")
    )
    for number, evaluation in enumerate(evaluations(folder)):
        table = json.loads(settings[number])
        assert [dict(zip(table["columns"], line, strict=True)) for line in table["data"]] == evaluation["settings"]
        metrics = evaluation["metrics"]
        table = json.loads(languages[number])
        (german, english) = (dict(zip(table["columns"], line, strict=True)) for line in table["data"])
        assert german["language"] == "de" and english["language"] == "en"
        assert german["multilingual/map"] == metrics["world/multilingual/map/de"]
        assert (
            german["crosslingual/map from"] == english["crosslingual/map to"] == metrics["world/crosslingual/map/de-en"]
        )
        assert english["rank_distance"] == metrics["world/rank_distance/en"]
        mono, cross = "world/monolingual/map", "world/crosslingual/map"
        assert json.loads(matrices[number])["data"] == [
            ["de", metrics[f"{mono}/de"], metrics[f"{cross}/de-en"]],
            ["en", metrics[f"{cross}/en-de"], metrics[f"{mono}/en"]],
        ]
        share = "world/language_share"
        assert json.loads(shares[number])["data"] == [
            [query, *(metrics[f"{share}_{code}@3/{query}"] for code in ("de", "en"))] for query in ("de", "en")
        ]
    assert number == 2


def test_heat_map_shows_every_pair_of_languages(folder: Path, logged: OfflineRun) -> None:
    for text, evaluation in zip(logged.media("world/heat_map/map"), evaluations(folder), strict=True):
        value = evaluation["metrics"]["world/crosslingual/map/de-en"]
        assert f"<title>de-en: {numerals.share(value)}</title>" in text
        assert text.count("<rect") == 4 and "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_bias_by_language_is_a_chart(folder: Path, logged: OfflineRun) -> None:
    table = json.loads(logged.media("world/bias_by_language_table")[-1])
    metrics = evaluations(folder)[-1]["metrics"]
    assert table["data"] == [[code, metrics[f"world/rank_distance/{code}"]] for code in ("de", "en")]
    assert "wandb/bar/v0" in str(logged.config["_wandb.visualize.world/bias_by_language"])


def test_summary_has_the_last_and_the_best(folder: Path, logged: OfflineRun) -> None:
    stored = [evaluation["metrics"] for evaluation in evaluations(folder)]
    for name in ("world/monolingual/map", "world/crosslingual/map", "world/multilingual/map", "world/rank_distance"):
        best = min if name.endswith("rank_distance") else max
        assert logged.summary[name] == pytest.approx(stored[-1][name], rel=1e-6)
        assert logged.summary[f"best/{name}"] == best(metrics[name] for metrics in stored)


def test_config_and_tags(logged: OfflineRun) -> None:
    assert logged.config["sampler"]["alpha"] == 0.5 and logged.config["model"]["name"] == "tiny"
    assert logged.config["batch_mix"] == {"monolingual": 0.5, "crosslingual": 0.5, "mixed": 0.0}
    assert set(logged.tags) == {"mine", "tiny", "hybrid", "parallel_jsonl", "world"}


def test_files_and_the_report_of_the_run_are_an_artifact(folder: Path, logged: OfflineRun) -> None:
    (artifact,) = (files for name, files in logged.artifacts.items() if re.fullmatch(r"run-\w+-results", name))
    figures = {f"figures/{path.name}" for path in (folder / "figures").iterdir()}
    assert figures and artifact.keys() == {
        "config.yaml", "results.json", "results.csv", "per_query.parquet", "report.html", "report.md", *figures
    }  # fmt: skip
    for name, copy in artifact.items():
        assert copy.read_bytes() == (folder / name).read_bytes()
    # The copies are where WANDB_DATA_DIR says, so a later `wandb sync` finds them.
    assert all(folder.parent in copy.parents for copy in artifact.values())
    final = numerals.number("world/multilingual/map", evaluations(folder)[-1]["metrics"]["world/multilingual/map"])
    assert final in artifact["report.md"].read_text(encoding="utf-8")


def test_a_run_that_broke_off_hands_over_its_results_and_no_older_report(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with evaluations of a subset, which are drawn over steps."""

    def break_off() -> None:
        (tmp_path / "run" / "report.html").write_text("<p>of an earlier attempt</p>")
        raise InterruptedError

    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb_data"))
    subsets = ("eval.every_n_steps=2", "eval.subset.passages=100")
    run = Run(configure(*WANDB, *subsets), At("on_train_batch_end", 8, break_off))
    with pytest.raises(InterruptedError):
        run.fit()
    close_loggers(run.trainer)
    logged = read_offline(tmp_path / "run")
    (files,) = (files for name, files in logged.artifacts.items() if "results" in name)
    assert files.keys() == {"config.yaml", "results.json", "results.csv", "per_query.parquet"}
    rows = [row["trainer/global_step"] for row in logged.rows if "world_subset/multilingual/map" in row]
    assert rows == [2, 4, 6, 8]
    assert logged.axes["world/multilingual/map"] == "epochs_trained"
    assert "world_subset/multilingual/map" not in logged.axes and logged.axes["*"] == "trainer/global_step"


def test_a_run_without_benchmarks_has_no_report(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb_data"))
    run = Run(configure(*WANDB, "eval=[]", "trainer.max_steps=1")).fit()
    close_loggers(run.trainer)
    assert not (tmp_path / "run" / "report.md").exists()


def test_only_the_first_rank_writes() -> None:
    loggers = [WandbLogger(offline=True)]
    assert wandb_runs(SimpleNamespace(is_global_zero=False, loggers=loggers)) == []
    assert wandb_runs(SimpleNamespace(is_global_zero=True, loggers=[])) == []
    assert loggers[0]._experiment is None  # it did not even start one
