"""Semantic contrastive loss: a text is closer to its translation than to any other text, in any language."""

from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.parallel_terms import ParallelTerms


class SemanticContrastive(ParallelTerms):
    """InfoNCE + w SCL. For a text x, its translation y, and all texts z of other contents in the batch:

        SCL = -log(exp(s(x, y)/T) / (exp(s(x, y)/T) + sum_z exp(s(x, z)/T))),

    averaged with the same for y and x, over rows. The texts are those of one side (passages, or questions) and their
    translations, of all ranks. Some z are in the language of x: y must come closer to x than these, which removes
    language from the vectors. Texts with the same content, or whose rows share their other text, are not among the z,
    in any language. A row without a translation adds nothing.

    This follows the "semantic contrastive loss" of Hu et al. ("Language Agnostic Multilingual Information Retrieval
    with Contrastive Learning", Findings of ACL 2023, arXiv:2210.06633), which is added to the retrieval loss with a
    weight. We had the abstract, the beginning of the introduction and a summary, which call it ordinary contrastive
    learning on parallel sentences, but not the equation. The terms of the denominator, both directions, T and w are our
    choices. Our parallel texts come from the training data; the paper's come from a separate parallel corpus.

    Args:
        weight: w, at least 0; with 0 the term is logged but not trained.
        parallel_temperature: T, positive; it is not learned.
        questions: the largest number of translations of each question.
        passages: the largest number of translations of each passage.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: the temperature is not positive, or `ParallelTerms` rejects its arguments.
    """

    def __init__(
        self,
        weight: float = 0.5,
        parallel_temperature: float = 0.05,
        questions: int = 0,
        passages: int = 1,
        **infonce: Any,
    ) -> None:
        super().__init__(questions, passages, **infonce)
        self.add_weight("semantic", weight)
        if parallel_temperature <= 0:
            raise ValueError(f"loss.parallel_temperature must be positive, got {parallel_temperature}")
        self.nearest = InfoNCE(parallel_temperature)  # always masks, even if questions and passages are not masked

    def terms(
        self, texts: Tensor, translations: Tensor, own: Tensor, candidates: tuple[Tensor, Tensor, Tensor]
    ) -> dict[str, Tensor]:
        columns, *groups = candidates
        text_columns, translation_columns = own.unbind(1)
        present = translation_columns >= 0
        nearest = torch.cat([torch.where(present, translation_columns, text_columns), text_columns])[:, None]
        losses, *_ = self.nearest.compare([torch.cat([texts, translations])], [columns], nearest, *groups)
        return {"semantic": (losses[0] * present.repeat(2)).mean()}
