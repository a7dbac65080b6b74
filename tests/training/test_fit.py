"""A configured run, from the first batch to its files."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hybrid_ir import assembly
from hybrid_ir.config.rules.metric_rules import LANGUAGE, training_metrics
from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.evaluation.benchmarks.miracl import load_miracl, load_miracl_pool
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.evaluation.vectors.encoder import at_precision
from hybrid_ir.sources.formats.trec_run import read_run
from hybrid_ir.training.module import NonFiniteLossError
from tests.evaluation.benchmarks.miracl_files import write_miracl
from tests.training.conftest import Configure, Run
from tests.training.probes import At, Recorder, content, interrupt
from tests.worlds import write_lareqa


def test_every_epoch_trains_on_its_own_plan(configure: Configure) -> None:
    recorder = Recorder()
    run = Run(configure("trainer.max_epochs=3", "eval.at_start=false"), recorder).fit()
    plan = run.datamodule.plan
    corpus = run.datamodule.training[0]
    planned = [
        (epoch, batch.kind, tuple(corpus.example_ids(batch.examples)))
        for epoch in range(3)
        for batch in (plan.epoch(epoch)[step] for step in range(len(plan)))
    ]
    assert [entry[:3] for entry in recorder.batches] == planned
    assert len({entry[2] for entry in planned}) == len(planned) == 18


def test_run_folder_metric_names_and_provenance(configure: Configure, tmp_path: Path) -> None:
    run = Run(configure("logger=csv", "eval.save_runs=3")).fit()
    folder = tmp_path / "run"
    results = json.loads((folder / "results.json").read_text())
    names = {"monolingual/map", "monolingual/recall@1", "crosslingual/map", "multilingual/recall@10", "rank_distance"}
    names |= {"multilingual/map/de", "crosslingual/map/de-en", "rank_distance/en"}
    assert {f"world/{name}" for name in names} <= results["metrics"].keys()
    assert {path.name for path in (folder / "evaluations").iterdir()} == {
        "step_000000.json", "step_000006.json", "step_000012.json"
    }  # fmt: skip
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {
        "best.ckpt", "last.ckpt", "previous.ckpt"
    }  # fmt: skip
    assert run.trainer.callback_metrics["world/multilingual/map"] == pytest.approx(
        results["metrics"]["world/multilingual/map"], rel=1e-6
    )
    rows = list(csv.DictReader((folder / "csv" / "version_0" / "metrics.csv").open()))
    shares = [float(row["train_epoch/share/monolingual"]) for row in rows if row.get("train_epoch/share/monolingual")]
    counts = [run.datamodule.plan.epoch(epoch).batches_by_kind()["monolingual"] for epoch in range(2)]
    assert shares == pytest.approx([count / 6 for count in counts])
    logged = {name for name in rows[0] if name.startswith("train")}
    by_language = {
        name for name in logged if name.startswith(("train_epoch/share/question", "train_epoch/share/passage"))
    }
    assert (logged - by_language) | {f"{name.rpartition('/')[0]}/{LANGUAGE}" for name in by_language} == set(
        training_metrics(run.cfg)
    )
    saved = read_run(folder / "runs" / "world.multilingual.trec")
    assert {len(found) for found in saved.values()} == {3}
    stored = read_results(folder / "results.json").provenance["model"]
    assert stored == run.module.describe()
    before = read_results(folder / "evaluations" / "step_000000.json").provenance["model"]
    assert {key for key in stored if stored[key] != before[key]} == {"weights"}


def test_every_epoch_is_kept_also_between_evaluations(configure: Configure, tmp_path: Path) -> None:
    options = ("trainer.max_epochs=4", "eval.every_n_epochs=4", "eval.at_start=false")
    with pytest.raises(InterruptedError):
        Run(configure(*options), At("on_train_epoch_start", 12, interrupt)).fit()
    assert content(tmp_path / "run")["global_step"] == 12


def test_last_is_kept_though_it_is_not_the_best(configure: Configure, tmp_path: Path) -> None:
    Run(configure("trainer.max_epochs=3", "optim.learning_rate=1e-12")).fit()
    steps = [content(tmp_path / "run", f"{name}.ckpt")["global_step"] for name in ("best", "last")]
    assert steps == [6, 18]


def test_early_stop_is_followed_by_an_evaluation(configure: Configure, tmp_path: Path) -> None:
    overrides = ("callbacks=validation_loss", "data.holdout=10", "eval.every_n_epochs=50", "optimized_metric=null")
    run = Run(configure(*overrides, "trainer.max_epochs=50", "optim.learning_rate=1e-12")).fit()
    step = run.trainer.global_step
    assert step < 40
    final = json.loads((tmp_path / "run" / "evaluations" / f"step_{step:06d}.json").read_text())
    assert final["provenance"]["epoch"] == step // len(run.datamodule.plan)


def test_evaluating_the_checkpoint_gives_the_metrics_of_training(configure: Configure, tmp_path: Path) -> None:
    """At a reduced precision, which the results name; at float32: test_lora.py."""
    cfg = configure("eval.precision=bf16-mixed")
    run = Run(cfg).fit()
    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    (benchmark,) = assembly.build_benchmarks(cfg)
    metrics = evaluate(at_precision(encoder, "bf16-mixed", encoder.device), benchmark).macro
    assert read_results(tmp_path / "run" / "results.json").provenance["model"]["precision"] == "bf16-mixed"
    for name, value in metrics.items():
        assert value == pytest.approx(float(run.trainer.callback_metrics[name]), rel=1e-6)


def test_files_of_the_squad_family_train(configure: Configure, tmp_path: Path) -> None:
    folder = write_lareqa(tmp_path / "squad", paragraphs=20)
    recorder = Recorder()
    options = ("data=squad", f"data.corpora.squad.path={folder}", "trainer.max_epochs=1", "data.on_leakage=ignore")
    run = Run(configure(*options), recorder).fit()
    assert run.datamodule.languages == ("de", "en")
    assert all(ids[0].startswith("q1") for _, _, ids, *_ in recorder.batches)


def test_planted_false_negatives_are_counted(configure: Configure) -> None:
    """Examples 0 and 1 share their passage: a batch with both masks one candidate of each."""
    run = Run(configure("data.batch_size=48", "sampler=cross", "eval.at_start=false", "trainer.max_epochs=1")).fit()
    metrics = run.trainer.callback_metrics
    assert metrics["train_epoch/masked_negatives"] == pytest.approx(2 / 48)
    assert metrics["train_epoch/negatives"] == pytest.approx(47 - 2 / 48)


def spoil_weights(module: Any) -> None:
    module.encoder.backbone.embeddings.LayerNorm.weight.data.fill_(float("nan"))


def spoil_gradient(module: Any) -> None:
    next(module.parameters()).grad.fill_(float("inf"))


@pytest.mark.parametrize(
    ("hook", "spoil", "message"),
    [
        ("on_train_batch_start", spoil_weights, r"loss is nan at epoch 1, batch 2 .*batch of parallel_jsonl.*fact-"),
        ("on_after_backward", spoil_gradient, "gradient at epoch 1, optimiser step 8 has norm"),
    ],
)
def test_what_is_not_finite_stops_the_run_and_stays_out_of_the_checkpoint(
    configure: Configure, tmp_path: Path, hook: str, spoil: Callable[[Any], None], message: str
) -> None:
    run = Run(configure())
    run.trainer.callbacks.append(At(hook, 8, lambda: spoil(run.module)))
    with pytest.raises(NonFiniteLossError, match=message):
        run.fit()
    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert all(torch.isfinite(parameter).all() for parameter in encoder.parameters())


def test_a_sample_of_miracl_each_epoch_and_the_whole_afterwards(configure: Configure, tmp_path: Path) -> None:
    write_miracl(tmp_path / "data" / "toy")
    sample = "eval.benchmarks.miracl_sample"
    run = Run(configure("eval=miracl_sample", f"{sample}.folder=toy", f"{sample}.queries=5")).fit()
    assert run.cfg.optimized_metric == "miracl_sample/monolingual/ndcg@10"
    assert run.cfg.optimized_metric in run.trainer.callback_metrics
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["benchmarks"]["miracl_sample"]["queries"] == {"en": 5, "sw": 5}
    assert "miracl_sample/monolingual/recall@100/sw" in results["metrics"]

    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "best.ckpt")
    store = tmp_path / "store"
    whole = load_miracl(tmp_path / "data", store, "toy", languages=["en"], dtype="float32", block_size=9)
    found = evaluate(encoder, whole, {"monolingual": ["recall@5"]})
    expected = evaluate(
        encoder, load_miracl_pool("toy", tmp_path / "data", languages=["en"]), {"monolingual": ["recall@5"]}
    )
    assert found.metrics == pytest.approx(expected.metrics)

    blocks = {path: path.read_bytes() for path in store.glob("*/*.block")}
    for path in list(blocks)[1:4]:
        path.unlink()
    evaluate(encoder, whole, {"monolingual": ["recall@5"]})
    assert len(blocks) == 5 and {path: path.read_bytes() for path in blocks} == blocks  # the same vectors, bit by bit
