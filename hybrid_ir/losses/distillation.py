"""Distillation: the student ranks the candidates of a batch as a teacher does."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.losses.contrastive import ContrastiveBatch, Vectors
from hybrid_ir.losses.divergence import divergence, log_shares
from hybrid_ir.losses.infonce import InfoNCE


class Distillation(InfoNCE):
    """(1 - w) InfoNCE + w KL(P_teacher || P_student), over the same candidates and masks.

    For every row i, P(j) = softmax_j s(q_i, p_j) / T over the passages and hard negatives of all ranks without known
    correct answers, once with the teacher's scores and once with the student's: cross-entropy on soft targets (Hinton
    et al., arXiv:1503.02531), over in-batch candidates (Lin et al., RepL4NLP 2021, 2021.repl4nlp-1.17). One T for both
    makes the student's scores, up to a constant a row, those of the teacher where the divergence is zero. T is none of
    InfoNCE's temperatures and is not learned; with T near them both parts have gradients of one size, so there is no
    factor T^2. With `symmetric` both parts also run from passages to queries.

    Args:
        weight: w in [0, 1]; 0 is InfoNCE.
        teacher_temperature: T, positive.
        infonce: arguments of `InfoNCE`.

    Raises:
        ValueError: a weight outside [0, 1], a temperature that is not positive, or what `InfoNCE` refuses.
    """

    needs_teacher = True
    parts = ("infonce", "distillation")

    def __init__(self, weight: float = 0.5, teacher_temperature: float = 0.05, **infonce: Any) -> None:
        super().__init__(**infonce)
        if not 0 <= weight <= 1:
            raise ValueError(f"loss.weight is {weight}; the teacher's share of the loss lies in [0, 1]")
        if teacher_temperature <= 0:
            raise ValueError(f"loss.teacher_temperature is {teacher_temperature}; it must be positive")
        self.weight, self.teacher_temperature = weight, teacher_temperature

    def spaces(self, batch: ContrastiveBatch) -> list[Vectors]:
        assert batch.teacher is not None
        return [*super().spaces(batch), batch.teacher]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        infonce = super().row_losses(scores[:1], absent, own)[0]
        student, teacher = (log_shares(part, self.teacher_temperature, absent) for part in scores)
        distance = divergence(teacher, student, absent)
        return torch.stack([(1 - self.weight) * infonce + self.weight * distance, infonce, distance])
