"""InfoNCE plus terms that compare the texts of a batch with their translations: the base of two losses."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.contrastive import BatchVectors, LossOutput
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sampling.translations import Translations


class ParallelTerms(InfoNCE):
    """InfoNCE + sum of w_k L_k: InfoNCE of questions and passages, plus weighted terms over texts and translations.

    A subclass registers its terms with `add_weight` and computes them in `terms`.

    Args:
        questions: the largest number of translations of each question.
        passages: the largest number of translations of each passage.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: both numbers are 0, or `InfoNCE` rejects its arguments.
    """

    def __init__(self, questions: int, passages: int, **infonce: Any) -> None:
        super().__init__(**infonce)
        self.weights: dict[str, float] = {}
        self.translations = Translations(questions, passages)
        if not self.translations:
            raise ValueError(
                "loss.questions and loss.passages are both 0; set one to 1 or more, to compare texts with translations"
            )

    @property
    def part_names(self) -> tuple[str, ...]:
        return ("infonce", *self.weights, *super().part_names)

    def add_weight(self, term: str, weight: float) -> None:
        """Give `term` the weight w_k; with 0 the term is logged but not trained.

        Raises:
            ValueError: the weight is negative.
        """
        if weight < 0:
            raise ValueError(f"the weight of the loss's {term} term must not be negative, got {weight}")
        self.weights[term] = weight

    @abstractmethod
    def terms(
        self, texts: Tensor, translations: Tensor, own: Tensor, candidates: tuple[Tensor, Tensor, Tensor]
    ) -> dict[str, Tensor]:
        """The terms for one translation of each row's text.

        A row without a translation counts as 0, so that the mean over ranks is that of the global batch.

        Args:
            texts: float32 (B, D), unit rows: all questions, or all passages.
            translations: float32 (B, D), one translation of each text; zero if there is none.
            own: int64 (B, 2), the columns of the text and of its translation; -1 for no translation.
            candidates: the columns, float32 (C, D) with gradient: the texts of all ranks, then all their translations;
                int64 (C,) the content of each, -1 for an empty slot; and int64 (C,) the content of the other text of
                the column's row. Columns that agree with a text in either are not its negatives.

        Returns:
            name -> float32 scalar, a mean over the B local rows.
        """

    def _forward(self, batch: BatchVectors) -> LossOutput:
        output = super()._forward(batch)
        found = [self.terms(*parallel) for side in _sides(batch) for parallel in _parallel_texts(side)]
        terms = {name: torch.stack([part[name] for part in found]).mean() for name in self.weights}
        loss = output.loss + sum(weight * terms[name] for name, weight in self.weights.items())
        parts = {"infonce": output.loss.detach()} | {name: term.detach() for name, term in terms.items()}
        return replace(output, loss=loss, parts=parts | dict(output.parts))


def _sides(batch: BatchVectors) -> Iterator[BatchVectors]:
    """Questions, then passages, each as a batch whose passages are the texts of that side."""
    groups = batch.question_groups, batch.passage_groups
    for texts, translations, slots, own, other in (
        (batch.queries, batch.question_translations, batch.question_slots, *groups),
        (batch.passages, batch.passage_translations, batch.passage_slots, *groups[::-1]),
    ):
        if translations is not None:
            yield BatchVectors(texts, texts, other, own, passage_translations=translations, passage_slots=slots)


def _parallel_texts(side: BatchVectors) -> Iterator[tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]]:
    """Arguments of `ParallelTerms.terms` for each translation slot of a side."""
    assert side.passage_translations is not None and side.passage_slots is not None
    candidates = (side.columns(), *side.column_groups())
    text_columns, *translation_columns = side.own_columns().unbind(1)
    for slot, columns in enumerate(translation_columns):
        present = side.passage_slots[:, slot]
        own = torch.stack([text_columns, columns.masked_fill(~present, -1)], dim=1)
        yield side.passages, side.passage_translations[:, slot], own, candidates
