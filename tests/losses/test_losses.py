"""The contract of every loss: value and gradient are its formula's, in one piece, in blocks of rows and over ranks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hybrid_ir.losses import infonce as engine
from hybrid_ir.losses.contrastive import BatchVectors
from hybrid_ir.losses.distillation import Distillation
from hybrid_ir.losses.infonce import EMPTY_SLOTS, HARD, InfoNCE
from hybrid_ir.losses.language_contrastive import LanguageContrastive
from hybrid_ir.losses.pooled import Pooled
from hybrid_ir.losses.ranking_alignment import RankingAlignment
from hybrid_ir.losses.semantic_contrastive import SemanticContrastive
from tests.losses import formulas
from tests.losses.batches import random_batch, rows_of, value_and_gradient, with_empty_slots
from tests.processes import run_processes

COUNTS = ("ranks", "candidates", "masked")


@dataclass(frozen=True)
class Case:
    """A loss, the weighted terms of its formula, and the translation slots of its batches."""

    loss: InfoNCE
    terms: dict[str, tuple[float, Callable[[BatchVectors], torch.Tensor]]]
    questions: int = 0
    passages: int = 0

    def batch(self, size: int, negatives: int, seed: int, dtype: torch.dtype = torch.float64) -> BatchVectors:
        return random_batch(size, negatives, self.questions, self.passages, seed, dtype)

    def formula(self, batch: BatchVectors) -> torch.Tensor:
        return sum(weight * term(batch) for weight, term in self.terms.values())  # type: ignore[return-value]


def case(loss: InfoNCE, weight: float = 1.0, questions: int = 0, passages: int = 0, **terms: Any) -> Case:
    """A loss with further terms, (weight, formula) each, beside `weight` times InfoNCE."""
    hard = loss.negatives == HARD
    own = (weight, lambda batch: formulas.infonce(batch, symmetric=loss.symmetric, hard=hard))
    return Case(loss, {"infonce": own, **terms}, questions, passages)


CASES = {
    "infonce": Case(InfoNCE(0.3), {"infonce": (1, lambda batch: formulas.infonce(batch, 0.3))}),
    "infonce both ways": Case(InfoNCE(symmetric=True), {"infonce": (1, lambda b: formulas.infonce(b, 0.05, True))}),
    "infonce unmasked": Case(
        InfoNCE(0.1, symmetric=True, mask_false_negatives=False),
        {"infonce": (1, lambda batch: formulas.infonce(batch, 0.1, True, mask=False))},
    ),
    "infonce, hard": Case(
        InfoNCE(0.3, negatives="hard"), {"infonce": (1, lambda batch: formulas.infonce(batch, 0.3, hard=True))}
    ),
    "pooled": Case(Pooled(3, temperature=0.3), {"pooled": (1, lambda b: formulas.pooled(b, 0.3))}, passages=2),
    "pooled both ways, unmasked": Case(
        Pooled(2, temperature=0.1, symmetric=True, mask_false_negatives=False),
        {"pooled": (1, lambda batch: formulas.pooled(batch, 0.1, True, mask=False))},
        passages=1,
    ),
    "pooled, hard": Case(
        Pooled(2, temperature=0.3, negatives="hard"),
        {"pooled": (1, lambda batch: formulas.pooled(batch, 0.3, hard=True))},
        passages=1,
    ),
    "distillation": case(
        Distillation(0.3, 0.1), 0.7, distillation=(0.3, lambda batch: formulas.distillation(batch, 0.1))
    ),
    "distillation both ways": case(
        Distillation(1.0, 0.5, symmetric=True), 0.0, distillation=(1, lambda b: formulas.distillation(b, 0.5, True))
    ),
    "distillation, hard": case(
        Distillation(0.3, 0.1, negatives="hard"),
        0.7,
        distillation=(0.3, lambda batch: formulas.distillation(batch, 0.1, hard=True)),
    ),
    "semantic": case(
        SemanticContrastive(0.5, 0.2, 1, 2, symmetric=True),
        questions=1,
        passages=2,
        semantic=(0.5, lambda batch: formulas.semantic(batch, 0.2)),
    ),
    "language": case(
        LanguageContrastive(0.7, 0.3, 0.2, 0, 2),
        passages=2,
        semantic=(0.3, lambda batch: formulas.semantic(batch, 0.2)),
        language=(0.7, lambda batch: formulas.language(batch, 0.2)),
    ),
    "alignment": case(
        RankingAlignment(0.7, 0.2, 2, symmetric=True),
        questions=2,
        alignment=(0.7, lambda batch: formulas.alignment(batch, 0.2, symmetric=True)),
    ),
    "alignment with a reference": case(
        RankingAlignment(0.7, 1.0, 1, "en"),
        questions=1,
        alignment=(0.7, lambda batch: formulas.alignment(batch, 1.0, reference=True)),
    ),
}
EVERY_LOSS = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def loss_and_gradient(loss: InfoNCE, batch: BatchVectors) -> tuple[torch.Tensor, torch.Tensor]:
    return value_and_gradient(lambda embedded: loss(embedded).loss, batch)


@EVERY_LOSS
@given(size=st.integers(2, 6), negatives=st.integers(0, 2), seed=st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_value_and_gradient_are_the_formula(case: Case, size: int, negatives: int, seed: int) -> None:
    batch = case.batch(size, negatives, seed)
    value, gradient = value_and_gradient(case.formula, batch)
    found = loss_and_gradient(case.loss, batch)
    torch.testing.assert_close(found[0].double(), value, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[1], gradient, rtol=1e-3, atol=1e-4)
    output = case.loss(batch)
    for name in case.loss.parts or case.terms.keys() & {"semantic", "language"}:
        assert output.parts[name].item() == pytest.approx(case.terms[name][1](batch).item(), rel=1e-4, abs=1e-5), name
    slots = [slots for slots in (batch.question_slots, batch.passage_slots) if slots is not None]
    missing = sum((~present).sum().item() for present in slots) / size
    assert not slots or output.parts[EMPTY_SLOTS].item() == pytest.approx(missing)
    assert set(output.parts) == set(case.loss.part_names)


@EVERY_LOSS
def test_ranks_and_counts_are_those_of_the_candidates(case: Case) -> None:
    """Own translations are no candidates; empty slots count nowhere."""
    batch = case.batch(9, 2, seed=3)
    pooled, mask, hard = isinstance(case.loss, Pooled), case.loss.mask_false_negatives, case.loss.negatives == HARD
    output = case.loss(batch)
    for i, query in enumerate(batch.queries):
        found = formulas.candidates(batch, i, mask, translations=pooled, hard=hard)
        scores = formulas.scores(query, batch, found)
        everything = formulas.candidates(batch, i, mask=False, translations=pooled, hard=hard)
        expected = [int((scores >= scores[0]).sum()), len(found), len(everything) - len(found)]
        assert [int(getattr(output, name)[i]) for name in COUNTS] == expected


@pytest.mark.parametrize("block", [1, 100])  # rows one by one, and blocks that do not divide the batch
@EVERY_LOSS
def test_blocks_of_rows_are_the_whole(case: Case, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = case.batch(10, 2, seed=1)
    expected, whole = loss_and_gradient(case.loss, batch), case.loss(batch)
    monkeypatch.setattr(engine, "BLOCK_LOGITS", block)
    torch.testing.assert_close(loss_and_gradient(case.loss, batch), expected, rtol=1e-5, atol=1e-6)
    output = case.loss(batch)
    assert all(torch.equal(getattr(output, name), getattr(whole, name)) for name in COUNTS)
    assert [part.shape for part in output.parts.values()] == [torch.Size([])] * len(output.parts)


def test_no_matrix_of_the_whole_batch_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the forward nor in the backward pass: counted by the results of every operation."""
    largest = 0

    class Sizes(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            largest = max([largest, *(x.numel() for x in tree_leaves(result) if isinstance(x, torch.Tensor))])
            return result

    monkeypatch.setattr(engine, "BLOCK_LOGITS", 1000)
    with Sizes():
        loss_and_gradient(InfoNCE(0.1, symmetric=True), random_batch(100, 1, seed=4))
    assert largest <= 100 * 2 * 8 < 100 * 100  # the columns' vectors


def _on_a_rank(rank: int, world_size: int, folder: str, negatives: int) -> None:
    rows, found = slice(rank * 8 // world_size, (rank + 1) * 8 // world_size), {}
    for name, case in CASES.items():
        learned = InfoNCE(0.1, learn_temperature=True, symmetric=True)
        batch = rows_of(case.batch(8, negatives, seed=5), rows)
        learned(batch).loss.backward()
        found[name] = (*loss_and_gradient(case.loss, batch), learned.log_scale.grad)
    torch.save(found, Path(folder) / f"{rank}-of-{world_size}.pt")


@pytest.mark.parametrize(("world_size", "negatives"), [(2, 2), (4, 0)])
def test_ranks_together_are_one_process(world_size: int, negatives: int, tmp_path: Path) -> None:
    """DDP averages gradients over ranks; that average must be the gradient of the global batch."""
    _on_a_rank(0, 1, str(tmp_path), negatives)
    run_processes(_on_a_rank, world_size, tmp_path, str(tmp_path), negatives)
    one = torch.load(tmp_path / "0-of-1.pt")
    ranks = [torch.load(tmp_path / f"{rank}-of-{world_size}.pt") for rank in range(world_size)]
    for name, expected in one.items():
        for value, parts in zip(expected, zip(*(rank[name] for rank in ranks), strict=True), strict=True):
            together = torch.stack(parts).mean(0)
            torch.testing.assert_close(together, value, rtol=1e-5, atol=1e-6, msg=lambda text, n=name: f"{n}: {text}")


@EVERY_LOSS
def test_losses_are_float32_under_autocast(case: Case) -> None:
    batch = case.batch(8, 2, seed=0, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = case.loss(batch)
    assert output.loss.dtype == torch.float32 and torch.equal(output.loss, case.loss(batch).loss)
    assert case.loss(case.batch(8, 2, seed=0, dtype=torch.float64)).loss.dtype == torch.float32


@EVERY_LOSS
def test_a_row_alone_has_a_finite_gradient(case: Case) -> None:
    value, gradient = loss_and_gradient(case.loss, case.batch(1, 0, seed=0))
    assert value == pytest.approx(0, abs=1e-5) or "semantic" not in case.terms
    assert torch.isfinite(gradient).all()


WEIGHTLESS = [
    (Distillation, {"weight": 0.0}),
    (SemanticContrastive, {"weight": 0.0, "questions": 1, "passages": 2}),
    (LanguageContrastive, {"weight": 0.0, "questions": 1, "passages": 2}),
    (RankingAlignment, {"weight": 0.0, "questions": 1}),
]


@pytest.mark.parametrize(("kind", "options"), WEIGHTLESS)
def test_weight_zero_is_infonce_bit_for_bit(kind: type[InfoNCE], options: dict) -> None:
    batch = random_batch(9, 2, 1, 2, seed=3, dtype=torch.float32)
    shared = {"temperature": 0.03, "symmetric": True}
    expected = loss_and_gradient(InfoNCE(**shared), batch)
    found = loss_and_gradient(kind(**options, **shared), batch)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])


@pytest.mark.parametrize(
    "loss",
    [
        Pooled(3, symmetric=True),
        SemanticContrastive(5.0, questions=1, symmetric=True),
        LanguageContrastive(5.0, questions=1, symmetric=True),
        RankingAlignment(5.0, symmetric=True),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_without_translations_they_are_infonce(loss: InfoNCE) -> None:
    batch = random_batch(9, 2, 1, 2, seed=3, dtype=torch.float32)
    none = {f"{side}_slots": torch.zeros_like(getattr(batch, f"{side}_slots")) for side in ("question", "passage")}
    batch = with_empty_slots(batch, **none)
    expected = loss_and_gradient(InfoNCE(symmetric=True), batch)
    torch.testing.assert_close(loss_and_gradient(loss, batch), expected, rtol=1e-5, atol=1e-6)
    output, plain = loss(batch), InfoNCE(symmetric=True)(batch)
    assert all(torch.equal(getattr(output, name), getattr(plain, name)) for name in COUNTS)
    assert output.parts[EMPTY_SLOTS] == 3


def test_collapsed_vectors_rank_last() -> None:
    same, groups = torch.ones(4, 8), torch.arange(4)
    assert InfoNCE()(BatchVectors(same, same, groups, groups)).ranks.tolist() == [4, 4, 4, 4]


def test_learned_temperature_moves_and_stays_within_bounds() -> None:
    loss = InfoNCE(0.5, learn_temperature=True, min_temperature=0.3)
    optimizer = torch.optim.SGD(loss.parameters(), lr=100.0)
    queries, groups = random_batch(8, seed=2).queries, torch.arange(8)
    loss(BatchVectors(queries, queries, groups, groups)).loss.backward()
    optimizer.step()
    assert loss.temperature < 0.3
    loss.clamp_temperature()
    assert loss.temperature == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (InfoNCE, {"temperature": 0.0}, r"loss\.temperature must be positive, got 0\.0"),
        (InfoNCE, {"temperature": 2.0, "learn_temperature": True}, "must lie within"),
        (InfoNCE, {"negatives": "easy"}, r"`?loss\.negatives`? must be 'all' or 'hard', got 'easy'"),
        (Pooled, {"negatives": "hard", "symmetric": True}, "loss.symmetric=true .* loss.negatives=hard .* choose one"),
        (Distillation, {"weight": 1.5}, r"loss\.weight, .*, must be in \[0, 1\], got 1\.5"),
        (Distillation, {"teacher_temperature": 0.0}, r"loss\.teacher_temperature must be positive"),
        (Pooled, {"languages": 0}, r"loss\.languages must be at least 1, got 0"),
        (SemanticContrastive, {"weight": -0.5}, "semantic term must not be negative, got -0.5"),
        (SemanticContrastive, {"parallel_temperature": 0.0}, r"loss\.parallel_temperature must be positive"),
        (SemanticContrastive, {"passages": 0}, "both 0; set one to 1 or more"),
        (LanguageContrastive, {"weight": -0.5}, "language term must not be negative, got -0.5"),
        (LanguageContrastive, {"semantic_weight": -0.5}, "semantic term must not be negative"),
        (LanguageContrastive, {"passages": -1}, "must be at least 0, got 0 of questions and -1"),
        (RankingAlignment, {"weight": -0.5}, r"loss\.weight must not be negative, got -0\.5"),
        (RankingAlignment, {"ranking_temperature": 0.0}, r"loss\.ranking_temperature must be positive, got 0\.0"),
        (RankingAlignment, {"questions": 0}, "at least 1, .* got 0"),
        (RankingAlignment, {"questions": 2, "reference": "en"}, r"exactly 1 with a loss\.reference, got 2"),
    ],
)
def test_invalid_arguments_are_refused(kind: type[InfoNCE], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**options)
