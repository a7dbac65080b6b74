"""Ranking alignment (`loss=lakda`): a question and its translations rank the candidates of a batch alike."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.contrastive import BatchVectors
from hybrid_ir.losses.distillation import divergence, log_distribution
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sampling.translations import Translations


class RankingAlignment(InfoNCE):
    """InfoNCE + w D(P(. | q), P(. | q')), for a question q and its translation q', over the same candidates.

    P(j | q) = softmax_j s(q, p_j) / T over the passages and hard negatives of all ranks, with the masks of InfoNCE.
    Without a reference language D is symmetric, (KL(P || P') + KL(P' || P)) / 2, and trains both. With one, q' is the
    question in that language, D = KL(P' || P), and P' is a fixed target without gradient. D is averaged over the slots
    of several translations; a row without a translation adds nothing. With `symmetric`, passages also rank questions
    and their translations, and these rankings are aligned likewise.

    The idea is LaKDA's, "language KL-divergence alignment" (Yang, Jiang, Baldwin, "Language Bias in Information
    Retrieval: The Nature of the Beast and Mitigation Methods", MRL 2024, arXiv:2509.06195): questions with the same
    meaning should rank the same documents alike, whatever their language. We had the abstract and a summary, but not
    the formula: the direction of the divergence, the candidates, T, w and the reference are our choices.

    Args:
        weight: w, at least 0; with 0 the divergence is logged but not trained.
        ranking_temperature: T, positive; it is not learned.
        questions: the largest number of translations of each question.
        reference: the language whose ranking is the target of the others; None aligns all languages with each other.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: the weight is negative, the temperature is not positive, `questions` is less than 1, or more than 1
            with a reference, or `InfoNCE` rejects its arguments.
    """

    parts = ("infonce", "alignment")

    def __init__(
        self,
        weight: float = 0.5,
        ranking_temperature: float = 0.05,
        questions: int = 1,
        reference: str | None = None,
        **infonce: Any,
    ) -> None:
        super().__init__(**infonce)
        if weight < 0:
            raise ValueError(f"loss.weight must not be negative, got {weight}")
        if ranking_temperature <= 0:
            raise ValueError(f"loss.ranking_temperature must be positive, got {ranking_temperature}")
        if questions < 1 or (reference is not None and questions > 1):
            raise ValueError(
                f"loss.questions, the number of translations, must be at least 1, and exactly 1 with a "
                f"loss.reference, got {questions}"
            )
        self.weight, self.ranking_temperature, self.reference = weight, ranking_temperature, reference
        self.translations = Translations(questions=questions, question_language=reference)

    def spaces(self, batch: BatchVectors) -> list[BatchVectors]:
        assert batch.question_translations is not None and batch.question_slots is not None
        (own,) = super().spaces(batch)
        # A missing translation is replaced by the question itself, whose divergence from itself is 0.
        others = torch.where(batch.question_slots[..., None], batch.question_translations, batch.queries[:, None])
        return [own, *(replace(own, queries=queries) for queries in others.unbind(1))]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        infonce = super().row_losses(scores[:1], absent, own)[0]
        ranking, *others = (log_distribution(part, self.ranking_temperature, absent) for part in scores)
        distance = torch.stack([self._distance(other, ranking, absent) for other in others]).mean(0)
        return torch.stack([infonce + self.weight * distance, infonce, distance])

    def _distance(self, other: Tensor, ranking: Tensor, absent: Tensor) -> Tensor:
        if self.reference is not None:
            return divergence(other.detach(), ranking, absent)
        return (divergence(other, ranking, absent) + divergence(ranking, other, absent)) / 2
