"""Semantic contrastive loss: a text is nearer to its translation than to any other text, of whatever language."""

from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.parallel import ParallelTerms, ParallelTexts


class SemanticContrastive(ParallelTerms):
    """InfoNCE + w SCL. For a text x, its translation y, and all texts z of other contents in the batch:

        SCL = -log(exp(s(x, y)/T) / (exp(s(x, y)/T) + sum_z exp(s(x, z)/T))),

    averaged with the same for y and x, over rows. The texts are those of one side (passages, or questions) and their
    translations, of all ranks: some z are in the language of x, and to be nearer to a text in another language than to
    them is what takes language out of the vectors. Texts of the same content, or whose rows share their other text, are
    no z, in whatever language. A row without a translation adds nothing.

    It is the "semantic contrastive loss" of Hu et al. ("Language Agnostic Multilingual Information Retrieval with
    Contrastive Learning", Findings of ACL 2023, arXiv:2210.06633), added to the loss of retrieval with a weight. Read
    were its abstract, the beginning of its introduction and a summary, which call it ordinary contrastive learning on
    parallel sentences; its equation could not be read. What stands in the denominator, both directions, T and w are
    ours, and the parallel texts are the training data's own: the paper takes them from a separate parallel corpus.

    Args:
        weight: w, from 0 up; with 0 the term is logged and does not train.
        parallel_temperature: T, positive; it is not learned.
        questions: translations of each question, at most.
        passages: translations of each passage, at most.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: what `ParallelTerms` refuses, or a temperature that is not positive.
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
            raise ValueError(f"loss.parallel_temperature is {parallel_temperature}; it must be positive")
        self.nearest = InfoNCE(parallel_temperature)  # its masks are needed whatever those of questions and passages

    def terms(self, parallel: ParallelTexts) -> dict[str, Tensor]:
        rows = torch.cat([parallel.texts, parallel.translations])
        own = torch.cat([parallel.translation_columns, parallel.text_columns])[:, None]
        losses, *_ = self.nearest._rank([rows], [parallel.columns], own, parallel.related, parallel.contents)
        return {"semantic": (losses[0] * parallel.present.repeat(2)).mean()}
