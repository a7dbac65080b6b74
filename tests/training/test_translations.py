"""Losses over translations in configured runs: they train, on one process as on two, and say what they lack."""

from pathlib import Path

import pytest
import torch

from hybrid_ir.losses.contrastive import BatchVectors
from tests.processes import run_processes
from tests.training.conftest import Configure, Run
from tests.training.probes import Recorder
from tests.training.test_ddp import relative_error, train_each

LOSSES = {
    "pooled": ("loss=pooled", "loss.languages=3"),
    "semantic": ("loss=semantic_contrastive", "loss.questions=1"),
    "language": ("loss=language_contrastive", "loss.semantic_weight=0.1"),
    "lakda": ("loss=lakda",),
    "reference": ("loss=lakda", "loss.reference=en"),  # rows that ask in English have no translation
}
FEW = ("eval=[]", "trainer.max_epochs=1")


def test_every_loss_trains_on_the_plan_of_infonce(configure: Configure) -> None:
    options, plain = (*FEW, "data.negatives=1", "sampler=cross", "trainer.max_steps=3"), Recorder()
    Run(configure(*options, run="plain"), plain).fit()
    for name, loss in LOSSES.items():
        found = Recorder()
        run = Run(configure(*options, *loss, run=name), found).fit()
        assert [entry[:-1] for entry in found.batches] == [entry[:-1] for entry in plain.batches], name
        assert found.losses != plain.losses
        metrics = run.trainer.callback_metrics
        assert {f"train/{part}" for part in run.module.loss.part_names} <= metrics.keys(), name
        missing = float(metrics["train/missing_translations"])
        assert 0 < missing < 1 if name == "reference" else missing == 0


def test_vectors_are_put_into_the_rows_and_slots_of_their_texts(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are embedded as their numbers in the batch here, so that each vector says which text it is of."""
    run = Run(configure(*FEW, "loss=language_contrastive", "loss.questions=1", "loss.passages=2", "data.negatives=2"))
    seen: list[BatchVectors] = []
    monkeypatch.setattr(run.module, "_embed", lambda tokens: 1.0 + torch.arange(len(tokens))[:, None])
    monkeypatch.setattr(run.module.loss, "forward", seen.append)
    batch = next(iter(run.datamodule.train_dataloader()))
    run.module(batch)
    (vectors,) = seen
    numbers = iter(range(1, len(batch.tokens) + 1))
    assert vectors.queries[:, 0].tolist() == [next(numbers) for _ in range(8)]
    assert vectors.passages[:, 0].tolist() == [next(numbers) for _ in range(8)]
    for part, filled in (
        (vectors.negatives, batch.negative_groups >= 0),
        (vectors.question_translations, batch.question_slots),
        (vectors.passage_translations, batch.passage_slots),
    ):
        assert part[..., 0].tolist() == [[next(numbers) if slot else 0 for slot in row] for row in filled.tolist()]
    assert next(numbers, None) is None
    for name in ("question_groups", "passage_groups", "negative_groups", "question_slots", "passage_slots"):
        assert torch.equal(getattr(vectors, name), getattr(batch, name)), name


def test_processes_train_as_one(configure: Configure, tmp_path: Path) -> None:
    losses = {name: LOSSES[name] for name in ("pooled", "language", "reference")}
    options = (*FEW, "data.negatives=2", "data.batch_size=16", "optim.eps=1e-4", "data.batches_per_epoch=2")
    train_each(0, 1, {name: configure(*options, *loss, run=name) for name, loss in losses.items()}, tmp_path)
    ranks = ("trainer=ddp_cpu", "trainer.devices=2", "model.gradient_cache=true", "model.max_tokens=128")
    together = {name: configure(*options, *loss, *ranks, run=f"{name}-2") for name, loss in losses.items()}
    run_processes(train_each, 2, tmp_path, together, tmp_path)
    for case in losses:
        one = torch.load(tmp_path / f"{case}-0-of-1.pt")
        for rank in (torch.load(tmp_path / f"{case}-{rank}-of-2.pt") for rank in range(2)):
            assert rank["metrics"] == pytest.approx(one["metrics"], rel=1e-4, abs=1e-6), case
            for expected, gradients in zip(one["gradients"], rank["gradients"], strict=True):
                for name, gradient in expected.items():
                    assert relative_error(gradients[name], gradient, least=0.1) < 1e-5, (case, name)
            for name, weight in one["weights"].items():
                assert relative_error(rank["weights"][name], weight, least=0.01) < 1e-4, (case, name)


def test_the_validation_loss_has_its_translations(configure: Configure) -> None:
    run = Run(configure(*FEW, "loss=pooled", "data.holdout=16")).fit()
    assert run.trainer.callback_metrics["validation/missing_translations"] == 0
