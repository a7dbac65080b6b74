"""Pooled: every question must find its passage in all languages, among passages in all languages."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from hybrid_ir.losses.contrastive import BatchVectors
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sampling.translations import Translations

ZERO_WEIGHT = -1e30  # a logit whose exponential is 0; finite, so that a row without negatives has a gradient


class Pooled(InfoNCE):
    """InfoNCE with several positives a row: its passage in the row's language, and translations of that passage.

    For row i with positives P_i and negatives N_i, the passages of all other contents, in all the languages that they
    came in, on all ranks, and hard negatives:

        loss_i = mean_{p in P_i} -log(exp(s(q_i, p)/t) / (exp(s(q_i, p)/t) + sum_{n in N_i} exp(s(q_i, n)/t)))

    No positive is in the denominator of another: positives do not compete, and none is satisfied because another one
    is near. This is the training counterpart of ranking one pool of all languages, in which every translation of an
    answer is an answer. The loss is this project's own; the mean outside of the logarithm is that of supervised
    contrastive learning (Khosla et al., arXiv:2004.11362, eq. 2), whose denominator holds the other positives.

    The logged rank is that of the row's passage among the negatives. With `symmetric` that passage also ranks the
    queries, as in InfoNCE.

    Args:
        languages: the largest number of languages that a row brings its passage in; 1 is InfoNCE. A row has fewer if
            its example does, and the mean is over those it has.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: `languages` is less than 1, or `InfoNCE` refuses its arguments.
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
