"""Language contrastive loss: a text and its translation are equally close to every other text."""

import math
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.semantic_contrastive import SemanticContrastive


class LanguageContrastive(SemanticContrastive):
    """InfoNCE + w LCL + v SCL, with the SCL of `SemanticContrastive`.

    For a text x, its translation y, and all texts z of other contents in the batch:

        LCL = mean_z -(log P(x | z) + log P(y | z)) / 2 - log 2,
        P(x | z) = 1 - P(y | z) = sigmoid((s(x, z) - s(y, z)) / T),

    which is log cosh((s(x, z) - s(y, z)) / 2T): 0 if z is as close to x as to y, so that a text's neighbours do not
    depend on its language. The z are the texts of one side (passages, or questions) and their translations, of all
    ranks, except those with the same content and those whose rows share their other text. The mean is over rows; a row
    without a translation adds nothing.

    This follows the "language contrastive loss" of Hu et al. ("Language Agnostic Multilingual Information Retrieval
    with Contrastive Learning", Findings of ACL 2023, arXiv:2210.06633), which compares parallel pairs with texts that
    are not parallel to them, to remove language-specific information. We had the abstract, the beginning of the
    introduction and a summary, but not the equation. The form above, the constant that makes the smallest value 0, T
    and w are our choices. Our z come from the training data; the paper's come from non-parallel corpora.

    Args:
        weight: w, at least 0; with 0 the term is logged but not trained.
        semantic_weight: v, likewise; the paper trains both losses.
        parallel_temperature: T, positive; it is not learned.
        questions: the largest number of translations of each question.
        passages: the largest number of translations of each passage.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: a weight is negative, or `SemanticContrastive` rejects its arguments.
    """

    def __init__(
        self,
        weight: float = 0.5,
        semantic_weight: float = 0.0,
        parallel_temperature: float = 0.05,
        questions: int = 0,
        passages: int = 1,
        **infonce: Any,
    ) -> None:
        super().__init__(semantic_weight, parallel_temperature, questions, passages, **infonce)
        self.add_weight("language", weight)
        self.equidistance = _Equidistance(parallel_temperature)

    def terms(
        self, texts: Tensor, translations: Tensor, own: Tensor, candidates: tuple[Tensor, Tensor, Tensor]
    ) -> dict[str, Tensor]:
        columns, *groups = candidates
        losses, *_ = self.equidistance.compare([texts, translations], [columns, columns], own[:, :1], *groups)
        language = (losses[0] * (own[:, 1] >= 0)).mean()
        return super().terms(texts, translations, own, candidates) | {"language": language}


class _Equidistance(InfoNCE):
    """log cosh of half the difference of a column's two scores over T, averaged over columns of other contents."""

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        others = ~absent.scatter(1, own, True)
        gap = (scores[0] - scores[1]).abs() * self.log_scale.exp()
        log_cosh = gap / 2 + F.softplus(-gap) - math.log(2)
        return ((log_cosh * others).sum(1) / others.sum(1).clamp(min=1))[None]
