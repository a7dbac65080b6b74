"""Language contrastive loss: any other text is as near to a text as to its translation."""

import math
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.parallel import ParallelTexts
from hybrid_ir.losses.semantic_contrastive import SemanticContrastive


class LanguageContrastive(SemanticContrastive):
    """InfoNCE + w LCL + v SCL, with the SCL of `SemanticContrastive`.

    For a text x, its translation y, and all texts z of other contents in the batch:

        LCL = mean_z -(log P(x | z) + log P(y | z)) / 2 - log 2,
        P(x | z) = 1 - P(y | z) = sigmoid((s(x, z) - s(y, z)) / T),

    which is log cosh((s(x, z) - s(y, z)) / 2T): 0 where z is as near to x as to y, so that the language of a text says
    nothing about its neighbours. The z are the texts of one side (passages, or questions) and their translations, of
    all ranks, without those of the same content and those whose rows share their other text. Rows are averaged; one
    without a translation adds nothing.

    It is after the "language contrastive loss" of Hu et al. ("Language Agnostic Multilingual Information Retrieval with
    Contrastive Learning", Findings of ACL 2023, arXiv:2210.06633), which compares parallel pairs with texts that are
    not parallel to them, to remove language-specific information. Read were its abstract, the beginning of its
    introduction and a summary; its equation could not be read. The form above, the constant that makes the least value
    0, T and w are ours, and the z are the training data's own: the paper takes them from non-parallel corpora.

    Args:
        weight: w, from 0 up; with 0 the term is logged and does not train.
        semantic_weight: v, likewise; the paper trains by both losses.
        parallel_temperature: T, positive; it is not learned.
        questions: translations of each question, at most.
        passages: translations of each passage, at most.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: what `SemanticContrastive` refuses.
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

    def terms(self, parallel: ParallelTexts) -> dict[str, Tensor]:
        losses, *_ = self.equidistance._rank(
            [parallel.texts, parallel.translations],
            [parallel.columns, parallel.columns],
            parallel.text_columns[:, None],
            parallel.related,
            parallel.contents,
        )
        return super().terms(parallel) | {"language": (losses[0] * parallel.present).mean()}


class _Equidistance(InfoNCE):
    """log cosh of the difference of a column's two scores, at the temperature, averaged over other contents."""

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        others = ~absent.scatter(1, own, True)
        gap = (scores[0] - scores[1]).abs() * self.log_scale.exp()
        log_cosh = gap / 2 + F.softplus(-gap) - math.log(2)
        return ((log_cosh * others).sum(1) / others.sum(1).clamp(min=1))[None]
