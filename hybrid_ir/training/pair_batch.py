"""A training batch as it reaches the model."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.encoder.tokenization import Tokens


@dataclass(frozen=True)
class PairBatch:
    """Tokens of one rank's rows of a planned batch, and what the rows are.

    Attributes:
        tokens: questions, then passages, then hard negatives, then translations of questions, then of passages:
            2 B + N + T texts.
        question_groups: int64 (B,), see `ContrastiveBatch`.
        passage_groups: int64 (B,).
        negative_groups: int64 (B, n), -1 where a row has fewer than n negatives; None without hard negatives. The N
            negatives of `tokens` fill the other slots row by row.
        kind: batch kind.
        corpus: name of the corpus.
        question_languages: language code of each question.
        passage_languages: language code of each passage.
        example_ids: ids of the examples, to name them in errors.
        question_translations: bool (B, n), False where a row has fewer than n; None without. `tokens` fill the other
            slots row by row.
        passage_translations: bool (B, m), the same of passages.
        teacher_tokens: the texts of `tokens` in a teacher's tokens, where there is a teacher.
    """

    tokens: Tokens
    question_groups: Tensor
    passage_groups: Tensor
    negative_groups: Tensor | None
    kind: str
    corpus: str
    question_languages: tuple[str, ...]
    passage_languages: tuple[str, ...]
    example_ids: tuple[str, ...]
    question_translations: Tensor | None = None
    passage_translations: Tensor | None = None
    teacher_tokens: Tokens | None = None

    def __len__(self) -> int:
        return len(self.question_groups)

    @property
    def slots(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """bool, True where a slot is filled: negatives, translations of questions and of passages, as in `tokens`."""
        negatives = None if self.negative_groups is None else self.negative_groups >= 0
        return negatives, self.question_translations, self.passage_translations

    def to(self, device: torch.device, non_blocking: bool = False) -> "PairBatch":
        """The batch on `device`; Lightning calls this."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=non_blocking)

        teacher = self.teacher_tokens
        tensors: dict[str, Any] = {name: move(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(
            self,
            tokens=replace(self.tokens, ids=move(self.tokens.ids)),
            teacher_tokens=None if teacher is None else replace(teacher, ids=move(teacher.ids)),
            **tensors,
        )
