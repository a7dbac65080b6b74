"""InfoNCE with further terms that compare the texts of a batch with their translations."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.losses.contrastive import ContrastiveBatch, ContrastiveOutput
from hybrid_ir.losses.gather import gather_with_gradient
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.translated import Translated, slot_groups
from hybrid_ir.sampling.translations import Translations


@dataclass(frozen=True)
class ParallelTexts:
    """One translation of each local row's text, and all texts of its side that are in the batch.

    B is the number of local rows, D the width, C of columns.

    Attributes:
        texts: float32 (B, D), unit rows.
        translations: float32 (B, D), unit rows; zero where there is none.
        present: bool (B,), whether there is one.
        columns: float32 (C, D), with gradient: the texts of all ranks, then all their translations.
        text_columns: int64 (B,), where in the columns each row's text is.
        translation_columns: int64 (B,), where its translation is; where its text is, if there is none.
        contents: int64 (C,), the group of each column; equal numbers are one content, -1 is an empty slot.
        related: int64 (C,), the group of the other text of the column's row; equal numbers are no opposites either.
    """

    texts: Tensor
    translations: Tensor
    present: Tensor
    columns: Tensor
    text_columns: Tensor
    translation_columns: Tensor
    contents: Tensor
    related: Tensor


class ParallelTerms(InfoNCE):
    """InfoNCE + sum of w_k L_k: losses of texts and their translations, beside that of questions and passages.

    A subclass names its terms with `add_weight`, and makes them in `terms`.

    Args:
        questions: translations of each question, at most.
        passages: translations of each passage, at most.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: no translation at all, or what `InfoNCE` refuses.
    """

    def __init__(self, questions: int, passages: int, **infonce: Any) -> None:
        super().__init__(**infonce)
        self.weights: dict[str, float] = {}
        self.translations = Translations(questions, passages)
        if not self.translations:
            raise ValueError("loss.questions and loss.passages are both 0; there is nothing to compare with")

    @property
    def part_names(self) -> tuple[str, ...]:
        return ("infonce", *self.weights, *super().part_names)

    def add_weight(self, term: str, weight: float) -> None:
        """Give `term` the weight w_k; with 0 it is logged and does not train.

        Raises:
            ValueError: it is negative.
        """
        if weight < 0:
            raise ValueError(f"the weight of the {term} term of the loss is {weight}; it must not be negative")
        self.weights[term] = weight

    @abstractmethod
    def terms(self, parallel: ParallelTexts) -> dict[str, Tensor]:
        """The terms for one translation of each row: name -> float32 scalar, a mean over the B local rows.

        A row without a translation counts as 0, so that the mean over ranks is that of the global batch.
        """

    def _forward(self, batch: ContrastiveBatch) -> ContrastiveOutput:
        output = super()._forward(batch)
        found = [self.terms(parallel) for parallel in _parallel_texts(batch)]
        terms = {name: torch.stack([part[name] for part in found]).mean() for name in self.weights}
        loss = output.loss + sum(weight * terms[name] for name, weight in self.weights.items())
        parts = {"infonce": output.loss.detach()} | {name: term.detach() for name, term in terms.items()}
        return replace(output, loss=loss, parts=parts | dict(output.parts))


def _parallel_texts(batch: ContrastiveBatch) -> Iterator[ParallelTexts]:
    """Each slot of each side in turn."""
    groups = batch.question_groups, batch.passage_groups
    for texts, translated, own, other in (
        (batch.queries, batch.question_translations, *groups),
        (batch.passages, batch.passage_translations, *groups[::-1]),
    ):
        if translated is not None:
            yield from _side(texts.float(), translated.float(), own, other)


def _side(texts: Tensor, translated: Translated, groups: Tensor, related: Tensor) -> Iterator[ParallelTexts]:
    size, slots = translated.present.shape
    present = gather_with_gradient(translated.present)
    columns = torch.cat([gather_with_gradient(texts), gather_with_gradient(translated.vectors).flatten(0, 1)])
    contents, asked = (
        torch.cat([part, slot_groups(part, present)]) for part in map(gather_with_gradient, (groups, related))
    )
    rows = rank_and_world()[0] * size + torch.arange(size, device=texts.device)
    for slot in range(slots):
        yield ParallelTexts(
            texts,
            translated.vectors[:, slot],
            translated.present[:, slot],
            columns,
            rows,
            torch.where(translated.present[:, slot], len(present) + rows * slots + slot, rows),
            contents,
            asked,
        )
