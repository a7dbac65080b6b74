"""Pooled batches against a loop that follows the formula, and over processes and blocks against the plain path."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.losses import infonce as loss_module
from hybrid_ir.losses.contrastive import ContrastiveBatch
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.pooled import Pooled
from hybrid_ir.losses.translated import Translated
from tests.losses.translated import check_processes, loss_and_gradient, related, translated_batch, value_and_gradient


def naive(batch: ContrastiveBatch, temperature: float, mask: bool = True) -> torch.Tensor:
    total = 0 * batch.queries.sum()
    translations = batch.passage_translations
    for i, query in enumerate(batch.queries):
        opposites = []
        for j in range(len(batch.queries)):
            if j != i and not (mask and related(batch, i, j)):
                texts = [batch.passages[j], *translations.vectors[j][translations.present[j]]]
                opposites += [torch.exp(query @ text / temperature) for text in texts]
            for slot in range(0 if batch.negatives is None else batch.negatives.shape[1]):
                group = batch.negative_groups[j, slot]
                if group != -1 and not (mask and group == batch.passage_groups[i]):
                    opposites.append(torch.exp(query @ batch.negatives[j, slot] / temperature))
        answers = [batch.passages[i], *translations.vectors[i][translations.present[i]]]
        scores = [torch.exp(query @ text / temperature) for text in answers]
        total = total + sum(-torch.log(score / (score + sum(opposites))) for score in scores) / len(answers)
    return total / len(batch.queries)


@given(
    size=st.integers(2, 7),
    negatives=st.integers(0, 2),
    passages=st.integers(1, 3),
    temperature=st.sampled_from([0.1, 0.3, 1.0]),
    mask=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_loss_and_gradient_are_the_formula(
    size: int, negatives: int, passages: int, temperature: float, mask: bool, seed: int
) -> None:
    batch = translated_batch(size, negatives, 0, passages, seed)
    loss = Pooled(passages + 1, temperature=temperature, mask_false_negatives=mask)
    assert loss(batch).loss.item() == pytest.approx(naive(batch, temperature, mask).item(), rel=1e-4, abs=1e-5)
    _, gradient = value_and_gradient(lambda embedded: naive(embedded, temperature, mask), batch)
    torch.testing.assert_close(loss_and_gradient(loss, batch)[1], gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("symmetric", [False, True])
def test_rows_without_translations_are_infonce(symmetric: bool) -> None:
    batch = translated_batch(9, 2, 0, 2, seed=3, dtype=torch.float32)
    empty = replace(batch.passage_translations, present=torch.zeros(9, 2, dtype=torch.bool))
    plain = replace(batch, passage_translations=None)
    infonce = InfoNCE(symmetric=symmetric)
    expected = loss_and_gradient(infonce, plain)
    for loss, given_batch in ((Pooled(1, symmetric=symmetric), plain), (Pooled(3, symmetric=symmetric),
                              replace(batch, passage_translations=empty))):  # fmt: skip
        found = loss_and_gradient(loss, given_batch)
        torch.testing.assert_close(found[0], expected[0], rtol=1e-6, atol=0)
        torch.testing.assert_close(found[1], expected[1], rtol=1e-5, atol=1e-6)
        for name in ("ranks", "candidates", "masked"):
            assert torch.equal(getattr(loss(given_batch), name), getattr(infonce(plain), name)), name


def test_answers_do_not_compete() -> None:
    """A row's rank, candidates and masked false negatives do not count its own translations; empty slots are logged."""
    queries = torch.eye(3)
    groups = torch.arange(3)
    present = torch.tensor([[True], [True], [False]])
    batch = ContrastiveBatch(queries, queries * 0.5, groups, groups)
    batch = replace(batch, passage_translations=Translated(queries[:, None] * present[..., None], present))
    output = Pooled()(batch)
    assert output.ranks.tolist() == [1, 1, 1] and output.masked.tolist() == [0, 0, 0]
    assert output.candidates.tolist() == [4, 4, 5]  # own, two others' passages, and the translations of those
    assert output.parts["missing_translations"] == pytest.approx(1 / 3)


def test_a_row_without_negatives_has_no_loss_and_a_finite_gradient() -> None:
    value, gradient = loss_and_gradient(Pooled(), translated_batch(1, 0, 0, 1, seed=0))
    assert value == 0 and torch.equal(gradient, torch.zeros(8, 8))


def test_blocks_of_rows_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, loss = translated_batch(8, 2, 0, 2, seed=1), Pooled(3, symmetric=True)
    expected = loss_and_gradient(loss, batch)
    monkeypatch.setattr(loss_module, "BLOCK_LOGITS", 100)
    found = loss_and_gradient(loss, batch)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-6, atol=0)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-5, atol=1e-6)


def test_processes_together_equal_one_process(tmp_path: Path) -> None:
    check_processes(Pooled(3, symmetric=True), translated_batch(8, 2, 0, 2, seed=5), tmp_path)


def test_fewer_languages_than_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"loss\.languages is 0"):
        Pooled(0)
