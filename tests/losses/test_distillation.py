"""Distillation against a loop that follows the formula, and over processes and blocks against the plain path."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.losses import infonce as loss_module
from hybrid_ir.losses.contrastive import ContrastiveBatch, Vectors
from hybrid_ir.losses.distillation import Distillation
from hybrid_ir.losses.infonce import InfoNCE
from tests.losses.test_infonce import random_batch
from tests.processes import run_processes


def taught_batch(size: int, negatives: int, seed: int, dtype: torch.dtype = torch.float64) -> ContrastiveBatch:
    """A teacher of another width, which embeds the same texts elsewhere."""
    generator = torch.Generator().manual_seed(seed + 1)

    def vectors(*shape: int) -> torch.Tensor:
        return F.normalize(torch.randn(*shape, 5, generator=generator, dtype=dtype), dim=-1)

    teacher = Vectors(vectors(size), vectors(size), vectors(size, negatives) if negatives else None)
    return replace(random_batch(size, negatives, seed, dtype), teacher=teacher)


def naive_divergence(batch: ContrastiveBatch, temperature: float, backward: bool) -> float:
    size, total = len(batch.queries), 0.0
    for i in range(size):
        columns = []
        for j in range(size):
            same = (
                batch.passage_groups[i] == batch.passage_groups[j]
                or batch.question_groups[i] == batch.question_groups[j]
            )
            if i == j or not same:
                sides = ("passages", "queries") if backward else ("queries", "passages")
                pairs = [(getattr(space, sides[0])[i], getattr(space, sides[1])[j]) for space in (batch, batch.teacher)]
                columns.append([float(a @ b) / temperature for a, b in pairs])
        if batch.negatives is not None and not backward:
            for place, group in enumerate(batch.negative_groups.flatten().tolist()):
                if group not in (-1, int(batch.passage_groups[i])):
                    pairs = [(s.queries[i], s.negatives.flatten(0, 1)[place]) for s in (batch, batch.teacher)]
                    columns.append([float(a @ b) / temperature for a, b in pairs])
        sums = [sum(math.exp(column[space]) for column in columns) for space in range(2)]
        for student, teacher in columns:
            p, q = math.exp(teacher) / sums[1], math.exp(student) / sums[0]
            total += p * math.log(p / q)
    return total / size


@given(
    size=st.integers(2, 7),
    negatives=st.integers(0, 2),
    weight=st.sampled_from([0.3, 1.0]),
    temperature=st.sampled_from([0.1, 0.5]),
    symmetric=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_loss_is_the_formula(
    size: int, negatives: int, weight: float, temperature: float, symmetric: bool, seed: int
) -> None:
    batch = taught_batch(size, negatives, seed)
    output = Distillation(weight, temperature, symmetric=symmetric)(batch)
    divergence = naive_divergence(batch, temperature, backward=False)
    if symmetric:
        divergence = (divergence + naive_divergence(batch, temperature, backward=True)) / 2
    infonce = InfoNCE(symmetric=symmetric)(batch)
    assert output.parts["distillation"].item() == pytest.approx(divergence, rel=1e-4, abs=1e-5)
    assert output.parts["infonce"].item() == pytest.approx(infonce.loss.item(), rel=1e-6)
    expected = (1 - weight) * infonce.loss.item() + weight * divergence
    assert output.loss.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for name in ("ranks", "candidates", "masked"):
        assert torch.equal(getattr(output, name), getattr(infonce, name)), name


def loss_and_gradient(loss: InfoNCE, batch: ContrastiveBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient in a linear encoder's weight."""
    weight = torch.linspace(-1, 1, 64).view(8, 8).requires_grad_()

    def embed(vectors: torch.Tensor | None) -> torch.Tensor | None:
        return None if vectors is None else F.normalize(vectors @ weight.to(vectors), dim=-1)

    fields = {name: embed(getattr(batch, name)) for name in ("queries", "passages", "negatives")}
    value = loss(replace(batch, **fields)).loss
    value.backward()
    return value.detach(), weight.grad


def test_weight_zero_is_infonce_exactly() -> None:
    batch = taught_batch(9, 2, seed=3, dtype=torch.float32)
    expected, found = (
        loss_and_gradient(InfoNCE(0.03), batch),
        loss_and_gradient(Distillation(0, temperature=0.03), batch),
    )
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])


def test_gradient_is_that_of_the_formula() -> None:
    """Of KL in the student's scores: (P_student - P_teacher) / T; a student that scores as the teacher stands still."""
    batch = taught_batch(6, 1, seed=8)
    scores = []

    class Watched(Distillation):
        def row_losses(self, parts, absent, own):  # type: ignore[no-untyped-def]
            parts[0].retain_grad()
            scores.extend([*parts, absent])
            return super().row_losses(parts, absent, own)

    student = batch.queries.clone().requires_grad_()
    Watched(1.0, 0.2)(replace(batch, queries=student)).loss.backward()
    own, taught, absent = scores
    p, q = (part.detach().div(0.2).masked_fill(absent, -torch.inf).softmax(1) for part in (taught, own))
    torch.testing.assert_close(own.grad, (q - p) / 0.2 / 6, rtol=1e-4, atol=1e-6)
    same = replace(batch, teacher=Vectors(batch.queries, batch.passages, batch.negatives))
    copy = batch.queries.clone().requires_grad_()
    output = Distillation(1.0)(replace(same, queries=copy)).loss
    output.backward()
    assert output.item() == pytest.approx(0, abs=1e-6) and copy.grad.abs().max() < 1e-5


def test_blocks_of_rows_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, loss = taught_batch(8, 2, seed=1), Distillation(0.4, symmetric=True)
    expected = loss_and_gradient(loss, batch)
    monkeypatch.setattr(loss_module, "BLOCK_LOGITS", 100)
    found = loss_and_gradient(loss, batch)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-6, atol=0)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-5, atol=1e-6)
    assert [part.shape for part in loss(batch).parts.values()] == [torch.Size([])] * 2


def _share(batch: ContrastiveBatch, part: slice) -> ContrastiveBatch:
    fields = {name: value[part] for name, value in vars(batch).items() if isinstance(value, torch.Tensor)}
    teacher = Vectors(**{name: value if value is None else value[part] for name, value in vars(batch.teacher).items()})
    return replace(batch, **fields, teacher=teacher)


def _worker(rank: int, world_size: int, folder: str, negatives: int) -> None:
    local = _share(taught_batch(8, negatives, seed=5), slice(rank * 8 // world_size, (rank + 1) * 8 // world_size))
    torch.save(loss_and_gradient(Distillation(0.7, symmetric=True), local), Path(folder) / f"{rank}.pt")


@pytest.mark.parametrize("negatives", [0, 2])
def test_processes_together_equal_one_process(negatives: int, tmp_path: Path) -> None:
    run_processes(_worker, 2, tmp_path, str(tmp_path), negatives)
    values, gradients = zip(*(torch.load(tmp_path / f"{rank}.pt") for rank in range(2)), strict=True)
    value, gradient = loss_and_gradient(Distillation(0.7, symmetric=True), taught_batch(8, negatives, seed=5))
    torch.testing.assert_close(torch.stack(values).mean(), value, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(torch.stack(gradients).mean(0), gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"weight": 1.5}, r"loss\.weight is 1.5"), ({"teacher_temperature": 0.0}, r"loss\.teacher_temperature is 0.0")],
)
def test_values_without_sense_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Distillation(**options)
