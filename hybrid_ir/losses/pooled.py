"""Pooled loss: InfoNCE whose positives are a passage and its translations, in one pool of all languages."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from hybrid_ir.losses.contrastive import BatchVectors
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sampling.translations import Translations

ZERO_WEIGHT = -1e30  # a logit whose exponential is 0; finite, so that a row without negatives has a gradient


class Pooled(InfoNCE):
    """InfoNCE with several positives in each row: its passage, and translations of that passage.

    Row i has positives P_i and negatives N_i: hard negatives, and the passages of all other contents, on all ranks and
    in every language that the batch has them in.

        loss_i = mean_{p in P_i} -log(exp(s(q_i, p)/t) / (exp(s(q_i, p)/t) + sum_{n in N_i} exp(s(q_i, n)/t)))

    No positive is in the denominator of another, so positives do not compete, and one close positive does not make up
    for a distant one. This matches an evaluation that ranks one pool of all languages, in which every translation of
    an answer is an answer. The loss is this project's own; its mean outside the logarithm follows supervised
    contrastive learning (Khosla et al., arXiv:2004.11362, eq. 2), whose denominator also holds the other positives.

    The logged rank is the row's passage's among the negatives. With `symmetric`, that passage also ranks the queries,
    as in InfoNCE.

    Args:
        languages: the largest number of positives of a row, each in another language; 1 is InfoNCE. The mean is over
            the languages that the row's example has.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: `languages` is less than 1, or `InfoNCE` rejects its arguments.
    """

    def __init__(self, languages: int = 2, **infonce: Any) -> None:
        super().__init__(**infonce)
        if languages < 1:
            raise ValueError(f"loss.languages must be at least 1, got {languages}")
        self.translations = Translations(passages=languages - 1)

    def spaces(self, batch: BatchVectors) -> list[BatchVectors]:
        return [batch]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        logits = scores[0] * self.log_scale.exp()
        positives = logits.gather(1, own.clamp(min=0))
        others = logits.masked_fill(absent, ZERO_WEIGHT).scatter(1, own[:, :1], ZERO_WEIGHT)
        losses = F.softplus(others.logsumexp(1, keepdim=True) - positives) * (own >= 0)
        return (losses.sum(1) / (own >= 0).sum(1))[None]
