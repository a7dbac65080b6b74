"""Alignment of rankings against a loop that follows the formula, and over processes against one process."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.losses import infonce as loss_module
from hybrid_ir.losses.contrastive import ContrastiveBatch
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.lakda import RankingAlignment
from tests.losses.translated import check_processes, loss_and_gradient, related, translated_batch, value_and_gradient


def naive(batch: ContrastiveBatch, temperature: float, reference: bool) -> torch.Tensor:
    """The mean divergence."""
    slots = batch.question_translations
    total = 0 * batch.queries.sum()
    for i, query in enumerate(batch.queries):
        texts = [batch.passages[j] for j in range(len(batch.queries)) if j == i or not related(batch, i, j)]
        if batch.negatives is not None:
            for vector, group in zip(batch.negatives.flatten(0, 1), batch.negative_groups.flatten(), strict=True):
                if group not in (-1, batch.passage_groups[i]):
                    texts.append(vector)
        candidates = torch.stack(texts)
        own = (candidates @ query / temperature).softmax(0)
        for other in slots.vectors[i][slots.present[i]]:
            aim = (candidates @ other / temperature).softmax(0)
            if reference:
                total = total + (aim.detach() * (aim.detach() / own).log()).sum()
            else:
                total = total + ((aim * (aim / own).log()).sum() + (own * (own / aim).log()).sum()) / 2
    return total / slots.present.numel()


@given(
    size=st.integers(2, 6),
    negatives=st.integers(0, 2),
    questions=st.integers(1, 2),
    reference=st.booleans(),
    temperature=st.sampled_from([0.2, 1.0]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_loss_and_gradient_are_the_formula(
    size: int, negatives: int, questions: int, reference: bool, temperature: float, seed: int
) -> None:
    questions = 1 if reference else questions
    batch = translated_batch(size, negatives, questions, 0, seed)
    loss = RankingAlignment(0.7, temperature, questions, "en" if reference else None)
    output, infonce = loss(batch), InfoNCE()(batch)
    distance = naive(batch, temperature, reference).item()
    assert output.parts["alignment"].item() == pytest.approx(distance, rel=1e-4, abs=1e-5)
    assert output.parts["infonce"].item() == pytest.approx(infonce.loss.item(), rel=1e-6)
    assert output.loss.item() == pytest.approx(infonce.loss.item() + 0.7 * distance, rel=1e-4, abs=1e-5)
    for name in ("ranks", "candidates", "masked"):
        assert torch.equal(getattr(output, name), getattr(infonce, name)), name
    _, gradient = value_and_gradient(lambda embedded: 0.7 * naive(embedded, temperature, reference), batch)
    expected = loss_and_gradient(InfoNCE(), batch)[1] + gradient
    torch.testing.assert_close(loss_and_gradient(loss, batch)[1], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("reference", [None, "en"])
def test_a_reference_is_not_moved(reference: str | None) -> None:
    batch = translated_batch(6, 1, 1, 0, seed=2)
    queries, vectors = (part.requires_grad_() for part in (batch.queries, batch.question_translations.vectors))
    loss = RankingAlignment(reference=reference)
    (loss(batch).loss - InfoNCE()(batch).loss).backward()
    assert queries.grad.abs().max() > 0
    assert bool(vectors.grad is not None and vectors.grad.abs().max() > 0) == (reference is None)


@pytest.mark.parametrize("symmetric", [False, True])
def test_weight_zero_and_no_translations_are_infonce(symmetric: bool) -> None:
    batch = translated_batch(9, 2, 1, 0, seed=3, dtype=torch.float32)
    expected = loss_and_gradient(InfoNCE(0.03, symmetric=symmetric), batch)
    found = loss_and_gradient(RankingAlignment(0.0, temperature=0.03, symmetric=symmetric), batch)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
    empty = replace(batch.question_translations, present=torch.zeros(9, 1, dtype=torch.bool))
    without = replace(batch, question_translations=empty)
    loss = RankingAlignment(5.0, temperature=0.03, symmetric=symmetric)
    found = loss_and_gradient(loss, without)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    parts = loss(without).parts
    assert parts["alignment"] == 0 and parts["missing_translations"] == 1


def test_blocks_of_rows_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, loss = translated_batch(8, 2, 2, 0, seed=1), RankingAlignment(0.4, questions=2, symmetric=True)
    expected = loss_and_gradient(loss, batch)
    monkeypatch.setattr(loss_module, "BLOCK_LOGITS", 100)
    torch.testing.assert_close(loss_and_gradient(loss, batch), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reference", [None, "en"])
def test_processes_together_equal_one_process(reference: str | None, tmp_path: Path) -> None:
    loss = RankingAlignment(0.7, reference=reference, symmetric=True)
    check_processes(loss, translated_batch(8, 2, 1, 0, seed=5), tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -0.5}, r"loss\.weight is -0.5"),
        ({"ranking_temperature": 0.0}, r"loss\.ranking_temperature 0.0"),
        ({"questions": 0}, r"loss\.questions is 0"),
        ({"questions": 2, "reference": "en"}, "exactly 1 where there is a loss.reference"),
    ],
)
def test_values_without_sense_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RankingAlignment(**options)
