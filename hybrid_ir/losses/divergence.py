"""Distributions over the candidates of a row, and how far one is from another."""

from torch import Tensor


def log_shares(scores: Tensor, temperature: float, absent: Tensor) -> Tensor:
    """log softmax of scores / temperature over the columns that are there: float32 (b, C); 0 where one is absent."""
    logits = (scores / temperature).masked_fill(absent, float("-inf"))
    return logits.log_softmax(1).masked_fill(absent, 0)


def divergence(aim: Tensor, other: Tensor, absent: Tensor) -> Tensor:
    """KL(aim || other) of each row: float32 (b,).

    Args:
        aim: float32 (b, C), from `log_shares`.
        other: the same of the distribution that is to come near it.
        absent: bool (b, C).
    """
    return (aim.exp().masked_fill(absent, 0) * (aim - other)).sum(1)
