"""Evaluation between epochs: named apart, always on the same part, for monitors, and without a trace in training."""

import itertools
import json
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result import Result
from hybrid_ir.training.callbacks.progress import TrainingProgress
from tests.training.conftest import Configure, Run
from tests.training.probes import Recorder

EVERY = ("eval.every_n_steps=4", "eval.subset.queries=2", "eval.subset.passages=3")
OPTIONS = ("sampler=hybrid", "trainer.max_epochs=2", "model.dropout=0.1", "eval.at_start=false")
METRIC = "world_subset/multilingual/map"


def evaluations(run: Path, names: str = "*") -> list[Path]:
    return sorted((run / "evaluations").glob(f"{names}.json"))


def subset_files(run: Path) -> dict[str, dict]:
    return {path.name: json.loads(path.read_text()) for path in evaluations(run, "subset_*")}


def test_names_and_files_are_apart(configure: Configure, tmp_path: Path) -> None:
    """The second epoch is cut after two of six steps."""
    run = Run(configure(*OPTIONS, *EVERY, "logger=csv", "trainer.max_steps=8")).fit()
    files = subset_files(tmp_path / "run")
    epochs = {path.stem: json.loads(path.read_text())["provenance"]["epoch"] for path in evaluations(tmp_path / "run")}
    assert epochs == {
        "subset_step_000004": 0, "subset_step_000006": 1, "step_000006": 1, "subset_step_000008": 2, "step_000008": 2
    }  # fmt: skip
    assert {name.split("/")[0] for file in files.values() for name in file["metrics"]} == {"world_subset"}
    assert {file["benchmarks"]["world_subset"]["fingerprint"] for file in files.values()} == {
        next(iter(files.values()))["benchmarks"]["world_subset"]["fingerprint"]
    }
    assert files["subset_step_000008.json"]["benchmarks"]["world_subset"]["passages"] == {"de": 5, "en": 5}
    whole = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {name.split("/")[0] for name in whole["metrics"]} == {"world"}
    metrics = run.trainer.callback_metrics
    assert float(metrics[METRIC]) == pytest.approx(files["subset_step_000008.json"]["metrics"][METRIC])
    assert "world/multilingual/map" in metrics
    (table,) = (tmp_path / "run" / "csv").glob("*/metrics.csv")
    header, *rows = [line.split(",") for line in table.read_text().splitlines()]
    logged = [int(row[header.index("step")]) for row in rows if row[header.index(METRIC)]]
    assert logged == [4, 6, 8]


def test_training_is_as_without_it(configure: Configure) -> None:
    plain, watched = Recorder(), Recorder()
    reference = Run(configure(*OPTIONS, "trainer.max_steps=8", run="plain"), plain).fit()
    watching = (*EVERY, "eval.every_n_steps=1", "trainer.max_steps=8")
    other = Run(configure(*OPTIONS, *watching, run="watched"), watched).fit()
    assert watched.batches == plain.batches
    for name, value in reference.module.state_dict().items():
        assert torch.equal(value, other.module.state_dict()[name]), name
    assert other.module.encoder.training


def test_accumulated_batches_are_one_step(configure: Configure, tmp_path: Path) -> None:
    options = ("trainer.accumulate_grad_batches=2", "eval.every_n_steps=2", "trainer.max_epochs=1")
    Run(configure(*OPTIONS, *EVERY, *options)).fit()
    assert list(subset_files(tmp_path / "run")) == ["subset_step_000002.json", "subset_step_000003.json"]


def test_checkpoints_may_be_chosen_by_it(configure: Configure, tmp_path: Path) -> None:
    best = ModelCheckpoint(
        tmp_path / "best", "{step}", monitor=METRIC, mode="max", every_n_train_steps=2, save_on_train_epoch_end=False
    )
    Run(configure(*OPTIONS, *EVERY, "eval.every_n_steps=2", "optim.learning_rate=1e-2"), best).fit()
    values = {
        int(name[12:18]): file["metrics"][METRIC] for name, file in subset_files(tmp_path / "run").items()
    }  # fmt: skip
    (kept,) = (tmp_path / "best").iterdir()
    chosen = torch.load(kept, weights_only=True)["global_step"]
    assert values[chosen] == max(values.values()) == pytest.approx(float(best.best_model_score))


def test_early_stopping_may_follow_it(configure: Configure) -> None:
    stop = EarlyStopping(METRIC, mode="max", patience=2, min_delta=2.0, check_on_train_epoch_end=True)
    run = Run(configure(*OPTIONS, *EVERY, "trainer.max_epochs=9", "eval.every_n_steps=1000"), stop).fit()
    assert run.trainer.global_step == 3 * 6  # nothing rises by 2: the first epoch sets the mark, two more follow


def test_the_rate_of_training_leaves_it_out(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    ticks, evaluating = itertools.count(), []

    class Rates(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: object) -> None:
            rates.append(float(trainer.callback_metrics.get("train/pairs_per_second", 0)))

    def slowly(*arguments: Any, **options: Any) -> Result:
        evaluating.append(1000)
        return evaluate(*arguments, **options)

    monkeypatch.setattr("hybrid_ir.training.callbacks.subset_evaluation.evaluate", slowly)
    run = Run(configure(*OPTIONS, *EVERY, "eval.every_n_steps=2", "trainer.max_epochs=1"), Rates())
    assert isinstance(run.trainer.progress_bar_callback, TrainingProgress)
    run.trainer.progress_bar_callback.throughput.clock = lambda: next(ticks) + sum(evaluating)
    run.fit()
    assert len(evaluating) == 3 and len(rates) == 6
    assert set(rates) == {0, 4}  # two ticks from one batch's end to the next, eight pairs
