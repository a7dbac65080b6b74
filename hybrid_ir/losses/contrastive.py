"""What contrastive losses take and give."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from hybrid_ir.losses.gather import gather_with_gradient
from hybrid_ir.losses.translated import Translated


@dataclass(frozen=True)
class Vectors:
    """A batch in one vector space: the fields of `ContrastiveBatch` with the same names."""

    queries: Tensor
    passages: Tensor
    negatives: Tensor | None = None
    question_translations: Translated | None = None
    passage_translations: Translated | None = None

    def float(self) -> "Vectors":
        """The same in float32."""
        return Vectors(*(None if part is None else part.float() for part in vars(self).values()))  # type: ignore[arg-type]

    def columns(self) -> Tensor:
        """Passages of all ranks, then hard negatives, then translations of passages, with gradient."""
        columns = [gather_with_gradient(self.passages)]
        if self.negatives is not None:
            columns.append(gather_with_gradient(self.negatives).flatten(0, 1))
        if self.passage_translations is not None:
            columns.append(gather_with_gradient(self.passage_translations.vectors).flatten(0, 1))
        return torch.cat(columns)


@dataclass(frozen=True)
class ContrastiveBatch:
    """Vectors of this rank's rows, and which contents they stand for.

    B is the number of local rows, n of hard negatives a row, D the width.

    Attributes:
        queries: float (B, D), unit rows.
        passages: float (B, D), unit rows; row i answers query i.
        question_groups: int64 (B,); rows with the same number ask the same, in whatever language.
        passage_groups: int64 (B,); rows with the same number have the same passage, in whatever language.
        negatives: float (B, n, D), unit rows, or None.
        negative_groups: int64 (B, n) on the scale of `passage_groups`; -1 marks a slot without a negative.
        teacher: the same texts as another encoder embeds them, for losses that learn from one.
        question_translations: the questions in other languages, for losses that ask for them.
        passage_translations: the passages in other languages.
    """

    queries: Tensor
    passages: Tensor
    question_groups: Tensor
    passage_groups: Tensor
    negatives: Tensor | None = None
    negative_groups: Tensor | None = None
    teacher: Vectors | None = None
    question_translations: Translated | None = None
    passage_translations: Translated | None = None


@dataclass(frozen=True)
class ContrastiveOutput:
    """What the loss found.

    Attributes:
        loss: float32 scalar, mean over the local rows.
        ranks: int64 (B,), rank of each row's passage among its candidates, 1 is best.
        candidates: int64 (B,), passages each query was compared with, its own included.
        masked: int64 (B,), candidates left out as false negatives.
        parts: name -> float32 scalar, for logs: what the loss is made of, if it is several things, and the mean number
            of empty slots of translations a row, if there are any slots.
    """

    loss: Tensor
    ranks: Tensor
    candidates: Tensor
    masked: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)
