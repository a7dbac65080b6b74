"""The tokenised batch, which DataLoader workers make from a planned batch and the LightningModule trains on."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.encoder.tokenization import Tokens
from hybrid_ir.losses.contrastive import BatchVectors


@dataclass(frozen=True)
class TokenisedBatch:
    """The tokens of one rank's rows of a planned batch, with the rows' groups, languages and ids.

    B is the number of local rows; each has n hard negatives and k and m translation slots. See `losses.contrastive` for
    the containers before and after this one.

    Attributes:
        tokens: 2 B + N + T texts: questions, passages, hard negatives, translations of questions, translations of
            passages. The last three hold filled slots only, row by row.
        question_groups: int64 (B,), see `BatchVectors`.
        passage_groups: int64 (B,), see `BatchVectors`.
        negative_groups: int64 (B, n), -1 for an empty slot; None without hard negatives.
        kind: batch kind.
        corpus: name of the corpus.
        question_languages: language code of each question.
        passage_languages: language code of each passage.
        example_ids: ids of the examples, to name them in errors.
        question_slots: bool (B, k), False for an empty slot of question translations; None if the loss takes none.
        passage_slots: bool (B, m), the same for passages.
        teacher_tokens: the same texts tokenised by the teacher's tokenizer; None without a teacher.
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
    question_slots: Tensor | None = None
    passage_slots: Tensor | None = None
    teacher_tokens: Tokens | None = None

    def __len__(self) -> int:
        return len(self.question_groups)

    @property
    def slots(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """The filled slots, bool: of negatives, of question translations, of passage translations."""
        negatives = None if self.negative_groups is None else self.negative_groups >= 0
        return negatives, self.question_slots, self.passage_slots

    def to(self, device: torch.device, non_blocking: bool = False) -> "TokenisedBatch":
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

    def arrange(self, vectors: Tensor) -> BatchVectors:
        """Sort the vectors of the batch's texts, (2 B + N + T, D) in the order of its tokens, into rows and slots."""
        counts = [0 if filled is None else int(filled.sum()) for filled in self.slots]
        queries, passages, *flat = vectors.split([len(self), len(self), *counts])
        negatives, questions, answers = (
            None if filled is None else _in_slots(part, filled) for part, filled in zip(flat, self.slots, strict=True)
        )
        return BatchVectors(
            queries,
            passages,
            self.question_groups,
            self.passage_groups,
            negatives,
            self.negative_groups,
            questions,
            self.question_slots,
            answers,
            self.passage_slots,
        )


def _in_slots(vectors: Tensor, filled: Tensor) -> Tensor:
    """Put `vectors`, (filled.sum(), D), into the filled slots row by row: (B, n, D), zero in empty slots."""
    slots = vectors.new_zeros(*filled.shape, vectors.shape[-1])
    slots[filled] = vectors
    return slots
