"""The losses as their docstrings write them: one row and one candidate at a time, on one process, without blocks."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from hybrid_ir.losses.contrastive import BatchVectors

Candidate = tuple[str, tuple[int, ...]]  # a field of a batch, and an index into it


def related(batch: BatchVectors, i: int, j: int) -> bool:
    """Whether the texts of row j are correct answers for row i."""
    return bool(
        batch.passage_groups[i] == batch.passage_groups[j] or batch.question_groups[i] == batch.question_groups[j]
    )


def candidates(
    batch: BatchVectors,
    i: int,
    mask: bool = True,
    backward: bool = False,
    translations: bool = False,
    hard: bool = False,
) -> list[Candidate]:
    """The candidates of row i, its own text first; only hard negatives compete with it if `hard`."""
    side = "queries" if backward else "passages"
    others = [] if hard else [j for j in range(len(batch.queries)) if j != i]
    rows = [j for j in others if not (mask and related(batch, i, j))]
    found: list[Candidate] = [(side, (j,)) for j in (i, *rows)]
    if backward:
        return found
    if batch.negatives is not None:
        for j, k in (batch.negative_groups != -1).nonzero().tolist():
            if not (mask and batch.negative_groups[j, k] == batch.passage_groups[i]):
                found.append(("negatives", (j, k)))
    if translations:
        found += [("passage_translations", (j, k)) for j, k in batch.passage_slots.nonzero().tolist() if j in rows]
    return found


def scores(row: Tensor, space: BatchVectors, found: list[Candidate]) -> Tensor:
    return torch.stack([getattr(space, name)[index] @ row for name, index in found])


def mean_over_rows(of_row, batch: BatchVectors, symmetric: bool) -> Tensor:  # type: ignore[no-untyped-def]
    """The mean of `of_row(i, backward)` over rows and, if symmetric, over both directions."""
    directions = (False, True) if symmetric else (False,)
    return torch.stack([of_row(i, way) for way in directions for i in range(len(batch.queries))]).mean()


def infonce(
    batch: BatchVectors, temperature: float = 0.05, symmetric: bool = False, mask: bool = True, hard: bool = False
) -> Tensor:
    def of_row(i: int, backward: bool) -> Tensor:
        row = (batch.passages if backward else batch.queries)[i]
        found = scores(row, batch, candidates(batch, i, mask, backward, hard=hard))
        return -(found / temperature).log_softmax(0)[0]

    return mean_over_rows(of_row, batch, symmetric)


def pooled(
    batch: BatchVectors, temperature: float, symmetric: bool = False, mask: bool = True, hard: bool = False
) -> Tensor:
    def of_row(i: int, backward: bool) -> Tensor:
        if backward:
            return -(scores(batch.passages[i], batch, candidates(batch, i, mask, True)) / temperature).log_softmax(0)[0]
        negatives = candidates(batch, i, mask, translations=True, hard=hard)[1:]
        found = scores(batch.queries[i], batch, negatives) if negatives else batch.queries[:0, 0]
        opposed = (found / temperature).exp().sum()
        answers = [batch.passages[i], *batch.passage_translations[i][batch.passage_slots[i]]]
        won = [(batch.queries[i] @ answer / temperature).exp() for answer in answers]
        return torch.stack([-torch.log(score / (score + opposed)) for score in won]).mean()

    return mean_over_rows(of_row, batch, symmetric)


def kl(target: Tensor, other: Tensor) -> Tensor:
    return (target * (target / other).log()).sum()


def distillation(batch: BatchVectors, temperature: float, symmetric: bool = False, hard: bool = False) -> Tensor:
    def of_row(i: int, backward: bool) -> Tensor:
        found = candidates(batch, i, backward=backward, hard=hard)
        rankings = []
        for space in (batch.teacher, batch):
            row = (space.passages if backward else space.queries)[i]
            rankings.append((scores(row, space, found) / temperature).softmax(0))
        return kl(*rankings)

    return mean_over_rows(of_row, batch, symmetric)


def alignment(batch: BatchVectors, temperature: float, reference: bool = False, symmetric: bool = False) -> Tensor:
    others = torch.where(batch.question_slots[..., None], batch.question_translations, batch.queries[:, None])

    def of_row(i: int, backward: bool) -> Tensor:
        found = candidates(batch, i, backward=backward)
        own, *translated = (
            (scores((space.passages if backward else space.queries)[i], space, found) / temperature).softmax(0)
            for space in (batch, *(replace(batch, queries=queries) for queries in others.unbind(1)))
        )
        if reference:
            return torch.stack([kl(other.detach(), own) for other in translated]).mean()
        return torch.stack([(kl(other, own) + kl(own, other)) / 2 for other in translated]).mean()

    return mean_over_rows(of_row, batch, symmetric)


def parallel_texts(batch: BatchVectors) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Each text with each of its translations, and the texts of other contents."""
    for texts, translations, slots in (
        (batch.queries, batch.question_translations, batch.question_slots),
        (batch.passages, batch.passage_translations, batch.passage_slots),
    ):
        for i, k in [] if slots is None else slots.nonzero().tolist():
            rows = [j for j in range(len(texts)) if j != i and not related(batch, i, j)]
            others = [text for j in rows for text in (texts[j], *translations[j][slots[j]])]
            yield texts[i], translations[i, k], torch.stack(others) if others else texts[:0]


def slot_count(batch: BatchVectors) -> int:
    return sum(slots.numel() for slots in (batch.question_slots, batch.passage_slots) if slots is not None)


def semantic(batch: BatchVectors, temperature: float) -> Tensor:
    total = 0 * batch.queries.sum()
    for text, translation, others in parallel_texts(batch):
        for anchor, near in ((text, translation), (translation, text)):
            found = torch.cat([(anchor @ near)[None], others @ anchor]) / temperature
            total = total - found.log_softmax(0)[0] / 2
    return total / slot_count(batch)


def language(batch: BatchVectors, temperature: float) -> Tensor:
    total = 0 * batch.queries.sum()
    for text, translation, others in parallel_texts(batch):
        gaps = others @ (text - translation) / (2 * temperature)
        total = total + torch.log(torch.cosh(gaps)).sum() / max(1, len(gaps))
    return total / slot_count(batch)
