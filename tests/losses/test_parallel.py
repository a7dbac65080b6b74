"""Semantic and language contrastive losses against loops that follow the formulas, and over processes against one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.losses import infonce as loss_module
from hybrid_ir.losses.contrastive import ContrastiveBatch
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.language_contrastive import LanguageContrastive
from hybrid_ir.losses.parallel import ParallelTerms
from hybrid_ir.losses.semantic_contrastive import SemanticContrastive
from tests.losses.translated import check_processes, loss_and_gradient, related, translated_batch, value_and_gradient

LOSSES = [SemanticContrastive, LanguageContrastive]


def parallel_pairs(batch: ContrastiveBatch) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]]:
    """Each text with each of its translations, the texts of other contents, and the number of rows."""
    sides = ((batch.queries, batch.question_translations), (batch.passages, batch.passage_translations))
    for texts, slots in sides:
        for i, k in [] if slots is None else slots.present.nonzero().tolist():
            rows = [j for j in range(len(texts)) if j != i and not related(batch, i, j)]
            others = [text for j in rows for text in (texts[j], *slots.vectors[j][slots.present[j]])]
            yield texts[i], slots.vectors[i, k], torch.stack(others) if others else texts[:0], len(texts)


def semantic(batch: ContrastiveBatch, temperature: float) -> torch.Tensor:
    total = 0 * batch.queries.sum()
    for text, translation, others, size in parallel_pairs(batch):
        for anchor, near in ((text, translation), (translation, text)):
            scores = torch.cat([(anchor @ near)[None], others @ anchor]) / temperature
            total = total - scores.log_softmax(0)[0] / 2 / size
    return total / count(batch)


def language(batch: ContrastiveBatch, temperature: float) -> torch.Tensor:
    total = 0 * batch.queries.sum()
    for text, translation, others, size in parallel_pairs(batch):
        gaps = others @ (text - translation) / (2 * temperature)
        total = total + torch.log(torch.cosh(gaps)).sum() / max(1, len(gaps)) / size
    return total / count(batch)


def count(batch: ContrastiveBatch) -> int:
    return sum(
        0 if side is None else side.present.shape[1]
        for side in (batch.question_translations, batch.passage_translations)
    )


@given(
    size=st.integers(2, 6),
    questions=st.integers(0, 1),
    passages=st.integers(1, 2),
    temperature=st.sampled_from([0.2, 1.0]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_losses_and_gradients_are_the_formulas(
    size: int, questions: int, passages: int, temperature: float, seed: int
) -> None:
    batch = translated_batch(size, 1, questions, passages, seed)
    loss = LanguageContrastive(0.7, 0.3, temperature, questions, passages)
    output, infonce = loss(batch), InfoNCE()(batch)
    terms = {"semantic": semantic(batch, temperature).item(), "language": language(batch, temperature).item()}
    assert {name: output.parts[name].item() for name in terms} == pytest.approx(terms, rel=1e-4, abs=1e-5)
    expected = infonce.loss.item() + 0.7 * terms["language"] + 0.3 * terms["semantic"]
    assert output.loss.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    alone = SemanticContrastive(0.5, temperature, questions, passages)(batch)
    assert alone.loss.item() == pytest.approx(infonce.loss.item() + 0.5 * terms["semantic"], rel=1e-4, abs=1e-5)
    for name in ("ranks", "candidates", "masked"):
        assert torch.equal(getattr(output, name), getattr(infonce, name)), name
    _, gradient = value_and_gradient(
        lambda embedded: 0.7 * language(embedded, temperature) + 0.3 * semantic(embedded, temperature), batch
    )
    gradient = gradient + loss_and_gradient(InfoNCE(), batch)[1]
    torch.testing.assert_close(loss_and_gradient(loss, batch)[1], gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", LOSSES)
def test_weight_zero_and_no_translations_are_infonce(kind: type[ParallelTerms]) -> None:
    batch = translated_batch(9, 2, 1, 2, seed=3, dtype=torch.float32)
    expected = loss_and_gradient(InfoNCE(0.03, symmetric=True), batch)
    found = loss_and_gradient(kind(weight=0.0, temperature=0.03, symmetric=True), batch)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
    sides = {name: getattr(batch, name) for name in ("question_translations", "passage_translations")}
    empty = {name: replace(side, present=torch.zeros_like(side.present)) for name, side in sides.items()}
    loss = kind(weight=5.0, temperature=0.03, symmetric=True)
    assert torch.equal(loss_and_gradient(loss, replace(batch, **empty))[1], expected[1])
    assert loss(replace(batch, **empty)).parts["missing_translations"] == 3


def test_nothing_is_learned_where_language_says_nothing() -> None:
    """Where a text and its translation are one vector, every other text is as near to the one as to the other."""
    batch = translated_batch(6, 0, 0, 1, seed=4)
    slots = batch.passage_translations
    same = replace(slots, vectors=batch.passages[:, None] * slots.present[..., None])
    assert LanguageContrastive()(replace(batch, passage_translations=same)).parts["language"] < 1e-12


@pytest.mark.parametrize("kind", LOSSES)
def test_blocks_of_rows_are_the_whole(kind: type[ParallelTerms], monkeypatch: pytest.MonkeyPatch) -> None:
    batch, loss = translated_batch(8, 2, 1, 2, seed=1), kind(weight=0.4, questions=1, passages=2)
    expected = loss_and_gradient(loss, batch)
    monkeypatch.setattr(loss_module, "BLOCK_LOGITS", 100)
    torch.testing.assert_close(loss_and_gradient(loss, batch), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LOSSES)
def test_processes_together_equal_one_process(kind: type[ParallelTerms], tmp_path: Path) -> None:
    check_processes(kind(weight=0.7, questions=1, passages=2), translated_batch(8, 2, 1, 2, seed=5), tmp_path)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -0.5}, "the weight of the (semantic|language) term of the loss is -0.5"),
        ({"parallel_temperature": 0.0}, r"loss\.parallel_temperature is 0.0"),
        ({"passages": 0}, "both 0; there is nothing to compare with"),
        ({"passages": -1}, "neither can be negative"),
    ],
)
def test_values_without_sense_are_refused(kind: type[ParallelTerms], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**options)
