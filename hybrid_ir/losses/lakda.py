"""Alignment of rankings: a question ranks the candidates of a batch as its translations do."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.contrastive import ContrastiveBatch, Vectors
from hybrid_ir.losses.divergence import divergence, log_shares
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sampling.translations import Translations


class RankingAlignment(InfoNCE):
    """InfoNCE + w D(P(. | q), P(. | q')), for a question q and a translation q' of it, over the same candidates.

    P(j | q) = softmax_j s(q, p_j) / T over the passages and hard negatives of all ranks, with the masks of InfoNCE.
    Without a reference language D is symmetric, (KL(P || P') + KL(P' || P)) / 2, and moves both. With one, q' is the
    question in that language, D = KL(P' || P), and P' is an aim that D does not move. Several translations are averaged
    over their slots; a row without a translation adds nothing. With `symmetric` passages rank questions and their
    translations, and are aligned likewise.

    The idea is LaKDA's, "language KL-divergence alignment" (Yang, Jiang, Baldwin, "Language Bias in Information
    Retrieval: The Nature of the Beast and Mitigation Methods", MRL 2024, arXiv:2509.06195): questions of one meaning
    should rank the same documents alike, whatever their language. Only its abstract and a summary could be read here,
    not its formula: the direction of the divergence, the candidates, T, w and the reference are ours.

    Args:
        weight: w, from 0 up; with 0 the divergence is logged and does not train.
        ranking_temperature: T, positive; it is not learned.
        questions: translations of each question, at most.
        reference: the language whose ranking is the aim of the others; None aligns all languages with each other.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: a negative weight, a temperature that is not positive, no translation, several of one reference
            language, or what `InfoNCE` refuses.
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
        if weight < 0 or ranking_temperature <= 0:
            raise ValueError(
                f"loss.weight is {weight} and loss.ranking_temperature {ranking_temperature}; the one must not be "
                "negative, the other must be positive"
            )
        if questions < 1 or (reference is not None and questions > 1):
            raise ValueError(
                f"loss.questions is {questions}; rankings are aligned with those of 1 translation or more, and with "
                "that of exactly 1 where there is a loss.reference"
            )
        self.weight, self.ranking_temperature, self.reference = weight, ranking_temperature, reference
        self.translations = Translations(questions=questions, question_language=reference)

    def spaces(self, batch: ContrastiveBatch) -> list[Vectors]:
        assert batch.question_translations is not None
        slots = batch.question_translations
        # A question in the place of a translation that it lacks is at no distance from itself.
        others = torch.where(slots.present[..., None], slots.vectors, batch.queries[:, None])
        return [*super().spaces(batch), *(Vectors(q, batch.passages, batch.negatives) for q in others.unbind(1))]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        infonce = super().row_losses(scores[:1], absent, own)[0]
        shares, *others = (log_shares(part, self.ranking_temperature, absent) for part in scores)
        distance = torch.stack([self._distance(other, shares, absent) for other in others]).mean(0)
        return torch.stack([infonce + self.weight * distance, infonce, distance])

    def _distance(self, other: Tensor, shares: Tensor, absent: Tensor) -> Tensor:
        if self.reference is not None:
            return divergence(other.detach(), shares, absent)
        return (divergence(other, shares, absent) + divergence(shares, other, absent)) / 2
