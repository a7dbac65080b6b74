"""A configured run, from the first batch to its files."""

import csv
import json
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from hybrid_ir.config.rules.metric_rules import LANGUAGE, training_metrics
from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.evaluation.benchmarks.miracl import load_miracl, load_miracl_pool
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.evaluation.vectors.encoder import at_precision
from hybrid_ir.sources.formats.trec_run import read_run
from hybrid_ir.training.module import NonFiniteLossError
from hybrid_ir.training.tokenised_batch import TokenisedBatch
from tests.evaluation.benchmarks.miracl_files import write_miracl
from tests.training.conftest import Configure, Run
from tests.worlds import write_lareqa


class Recorder(L.Callback):
    """Writes down every batch: epoch, kind, example ids, languages, loss."""

    def __init__(self) -> None:
        self.batches: list[tuple] = []

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: TokenisedBatch, batch_idx: int
    ) -> None:
        languages = batch.question_languages, batch.passage_languages
        self.batches.append((trainer.current_epoch, batch.kind, batch.example_ids, *languages, float(outputs["loss"])))


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


def test_run_folder_and_metric_names(configure: Configure, tmp_path: Path) -> None:
    run = Run(configure("logger=csv")).fit()
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


def test_every_epoch_is_kept_also_between_evaluations(configure: Configure, tmp_path: Path) -> None:
    class Interrupt(L.Callback):
        def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            if trainer.current_epoch == 2:
                raise InterruptedError

    with pytest.raises(InterruptedError):
        Run(configure("trainer.max_epochs=4", "eval.every_n_epochs=4"), Interrupt()).fit()
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 12


def test_last_is_kept_though_it_is_not_the_best(configure: Configure, tmp_path: Path) -> None:
    Run(configure("trainer.max_epochs=3", "optim.learning_rate=1e-12")).fit()
    steps = {
        name: torch.load(tmp_path / "run" / "checkpoints" / f"{name}.ckpt", weights_only=True)["global_step"]
        for name in ("best", "last")
    }
    assert steps == {"best": 6, "last": 18}


def test_early_stop_is_followed_by_an_evaluation(configure: Configure, tmp_path: Path) -> None:
    overrides = ("callbacks=validation_loss", "data.holdout=10", "eval.every_n_epochs=50", "optimized_metric=null")
    run = Run(configure(*overrides, "trainer.max_epochs=50", "optim.learning_rate=1e-12")).fit()
    step = run.trainer.global_step
    assert step < 40
    final = json.loads((tmp_path / "run" / "evaluations" / f"step_{step:06d}.json").read_text())
    assert final["provenance"]["epoch"] == step // len(run.datamodule.plan)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_evaluating_the_checkpoint_gives_the_metrics_of_training(
    precision: str, configure: Configure, tmp_path: Path
) -> None:
    from hybrid_ir import assembly

    cfg = configure(f"eval.precision={precision}")
    run = Run(cfg).fit()
    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    (benchmark,) = assembly.build_benchmarks(cfg)
    metrics = evaluate(at_precision(encoder, precision, encoder.device), benchmark).macro
    assert read_results(tmp_path / "run" / "results.json").provenance["model"].get("precision", "32-true") == precision
    for name, value in metrics.items():
        assert value == pytest.approx(float(run.trainer.callback_metrics[name]), rel=1e-6)


@pytest.mark.parametrize("sampler", ["hybrid", "mono", "cross", "mixed", "english"])
def test_every_sampler_trains(configure: Configure, sampler: str) -> None:
    recorder = Recorder()
    Run(configure(f"sampler={sampler}", "trainer.max_steps=2"), recorder).fit()
    kinds = {entry[1] for entry in recorder.batches}
    assert kinds <= {"hybrid": {"monolingual", "crosslingual"}, "mono": {"monolingual"}, "cross": {"crosslingual"},
                     "mixed": {"mixed"}, "english": {"monolingual"}}[sampler]  # fmt: skip
    if sampler == "english":
        assert {language for entry in recorder.batches for language in (*entry[3], *entry[4])} == {"en"}


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.precision=bf16-mixed"],
        ["data.negatives=1", "loss.symmetric=true"],
        ["loss.learn_temperature=true"],
        ["model.gradient_checkpointing=true", "model.freeze_embeddings=true"],
        ["trainer.accumulate_grad_batches=2"],
        ["data.num_workers=1", "data.mapped=false"],
        ["optim.schedule=cosine", "callbacks=early_stopping"],
        ["data.holdout=10", "callbacks=validation_loss", "optimized_metric=null"],
        ["data.languages=[de,en]", "data.temperature=2"],
    ],
    ids=" ".join,
)
def test_every_option_trains(configure: Configure, overrides: list[str]) -> None:
    recorder = Recorder()
    run = Run(configure(*overrides, "trainer.max_epochs=1"), recorder).fit()
    assert len(recorder.batches) == len(run.datamodule.plan)
    assert all(torch.isfinite(parameter).all() for parameter in run.module.parameters())


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


def test_loss_that_is_no_number_stops_the_run_and_names_the_batch(configure: Configure, tmp_path: Path) -> None:
    class Spoil(L.Callback):
        def on_train_batch_start(self, trainer: L.Trainer, module: Any, batch: TokenisedBatch, batch_idx: int) -> None:
            if trainer.global_step == 8:
                module.encoder.backbone.embeddings.LayerNorm.weight.data.fill_(float("nan"))

    with pytest.raises(NonFiniteLossError, match=r"loss is nan at epoch 1, batch 2 .*batch of parallel_jsonl.*fact-"):
        Run(configure(), Spoil()).fit()
    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert all(torch.isfinite(parameter).all() for parameter in encoder.parameters())


def test_gradient_that_is_no_number_leaves_weights_and_checkpoint_alone(configure: Configure, tmp_path: Path) -> None:
    class Spoil(L.Callback):
        def on_after_backward(self, trainer: L.Trainer, pl_module: Any) -> None:
            if trainer.global_step == 8:
                next(pl_module.parameters()).grad.fill_(float("inf"))

    with pytest.raises(NonFiniteLossError, match="gradient at epoch 1, optimiser step 8 has norm"):
        Run(configure(), Spoil()).fit()
    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert all(torch.isfinite(parameter).all() for parameter in encoder.parameters())


def test_training_lowers_the_loss_and_leaves_dropout_on(configure: Configure) -> None:
    recorder = Recorder()
    run = Run(configure("trainer.max_epochs=12", "eval.every_n_epochs=12", "optim.learning_rate=3e-3"), recorder).fit()
    losses = [entry[-1] for entry in recorder.batches]
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])
    assert run.module.encoder.training


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


def test_runs_and_provenance_of_the_newest_evaluation(configure: Configure, tmp_path: Path) -> None:
    run = Run(configure("trainer.max_epochs=1", "eval.save_runs=3")).fit()
    saved = read_run(tmp_path / "run" / "runs" / "world.multilingual.trec")
    assert {len(found) for found in saved.values()} == {3}
    stored = read_results(tmp_path / "run" / "results.json").provenance["model"]
    assert stored == run.module.describe()
    before = read_results(tmp_path / "run" / "evaluations" / "step_000000.json").provenance["model"]
    assert {key for key in stored if stored[key] != before[key]} == {"weights"}
