"""Distillation: the student learns a teacher's distribution over the candidates of a batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.contrastive import BatchVectors
from hybrid_ir.losses.infonce import InfoNCE


class Distillation(InfoNCE):
    """(1 - w) InfoNCE + w KL(P_teacher || P_student), over the same candidates and masks.

    For every row i, P(j) = softmax_j s(q_i, p_j) / T over the passages and hard negatives of all ranks, known correct
    answers left out, once with the teacher's scores and once with the student's: cross-entropy on soft targets (Hinton
    et al., arXiv:1503.02531), over in-batch candidates (Lin et al., RepL4NLP 2021, 2021.repl4nlp-1.17). Both use the
    same T, so the divergence is zero if the student's scores equal the teacher's up to a constant in each row. T is
    separate from InfoNCE's temperature and is not learned. If the two are of similar size, so are the gradients of both
    parts; hence there is no factor T^2. With `symmetric`, both parts also run from passages to queries.

    Args:
        weight: w in [0, 1]; 0 is InfoNCE.
        teacher_temperature: T, positive.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: the weight is outside [0, 1], the temperature is not positive, or `InfoNCE` rejects its arguments.
    """

    needs_teacher = True
    parts = ("infonce", "distillation")

    def __init__(self, weight: float = 0.5, teacher_temperature: float = 0.05, **infonce: Any) -> None:
        super().__init__(**infonce)
        if not 0 <= weight <= 1:
            raise ValueError(f"loss.weight, the teacher's share of the loss, must be in [0, 1], got {weight}")
        if teacher_temperature <= 0:
            raise ValueError(f"loss.teacher_temperature must be positive, got {teacher_temperature}")
        self.weight, self.teacher_temperature = weight, teacher_temperature

    def spaces(self, batch: BatchVectors) -> list[BatchVectors]:
        assert batch.teacher is not None
        return [*super().spaces(batch), batch.teacher]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        infonce = super().row_losses(scores[:1], absent, own)[0]
        student, teacher = (log_distribution(part, self.teacher_temperature, absent) for part in scores)
        distance = divergence(teacher, student, absent)
        return torch.stack([(1 - self.weight) * infonce + self.weight * distance, infonce, distance])


def log_distribution(scores: Tensor, temperature: float, absent: Tensor) -> Tensor:
    """Each row's log softmax of scores / temperature over its candidates: float32 (b, C), 0 if a column is absent."""
    logits = (scores / temperature).masked_fill(absent, float("-inf"))
    return logits.log_softmax(1).masked_fill(absent, 0)


def divergence(target: Tensor, other: Tensor, absent: Tensor) -> Tensor:
    """Each row's KL(target || other): float32 (b,).

    Args:
        target: float32 (b, C), from `log_distribution`.
        other: likewise, the distribution that approximates it.
        absent: bool (b, C), columns left out for a row.
    """
    return (target.exp().masked_fill(absent, 0) * (target - other)).sum(1)
