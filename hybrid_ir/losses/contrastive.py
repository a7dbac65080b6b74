"""The contract of every loss: this rank's rows against columns gathered from all ranks, with gradient, in float32.

A pair passes through four containers on its way from the plan to its loss:

1. `sampling.plan.Batch`, the planned batch: which examples, in which languages. No texts.
2. `training.tokenised_batch.TokenisedBatch`: the tokens of one rank's slice of it, made in a DataLoader worker.
3. `BatchVectors`: unit vectors of the same texts, from the trained encoder (and from a teacher, for distillation).
4. `LossOutput`: the loss, and statistics of the batch for the logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from hybrid_ir.distributed import rank_and_world


@dataclass(frozen=True)
class BatchVectors:
    """Unit vectors of one rank's rows, and group numbers that identify texts with the same content.

    B is the number of local rows; each has n hard negatives and k and m translation slots; D is the width. Every rank
    has the same B, n, k and m. A slot is empty if the example lacks that text; its vector is zero.

    Attributes:
        queries: float (B, D), unit rows.
        passages: float (B, D), unit rows; row i answers query i.
        question_groups: int64 (B,); rows with equal numbers ask the same question, in any language.
        passage_groups: int64 (B,); rows with equal numbers have the same passage, in any language.
        negatives: float (B, n, D), hard negatives; None if there are none.
        negative_groups: int64 (B, n), numbered like `passage_groups`; -1 for an empty slot.
        question_translations: float (B, k, D), the questions in other languages; None if the loss takes none.
        question_slots: bool (B, k), False for an empty slot.
        passage_translations: float (B, m, D), the passages in other languages; None if the loss takes none.
        passage_slots: bool (B, m), False for an empty slot.
        teacher: the same rows embedded by a teacher, for distillation; D may differ.
    """

    queries: Tensor
    passages: Tensor
    question_groups: Tensor
    passage_groups: Tensor
    negatives: Tensor | None = None
    negative_groups: Tensor | None = None
    question_translations: Tensor | None = None
    question_slots: Tensor | None = None
    passage_translations: Tensor | None = None
    passage_slots: Tensor | None = None
    teacher: "BatchVectors | None" = None

    def float(self) -> "BatchVectors":
        """The same batch with all vectors in float32."""
        vectors: dict[str, Any] = {
            name: value.float()
            for name, value in vars(self).items()
            if isinstance(value, Tensor) and value.is_floating_point()
        }
        return replace(self, **vectors, teacher=None if self.teacher is None else self.teacher.float())

    def columns(self) -> Tensor:
        """The candidates of every row: float (C, D), gathered from all ranks with gradient.

        Passages in order of rank and row (W B of W ranks), then hard negatives (W B n), then translations of passages
        (W B m).
        """
        further = [part for part in (self.negatives, self.passage_translations) if part is not None]
        columns = [gather_with_gradient(self.passages)]
        columns += [gather_with_gradient(part).flatten(0, 1) for part in further]
        return torch.cat(columns)

    def column_groups(self) -> tuple[Tensor, Tensor]:
        """The passage group and the question group of each of `columns`.

        Returns:
            int64 (C,) passage groups, -1 for an empty slot; and int64 (C,) question groups of the columns' rows, -1 for
            an empty slot or a hard negative, which belongs to no question.
        """
        passages, questions = gather_with_gradient(self.passage_groups), gather_with_gradient(self.question_groups)
        contents, asked = [passages], [questions]
        if self.negatives is not None:
            assert self.negative_groups is not None
            negatives = gather_with_gradient(self.negative_groups).flatten()
            contents.append(negatives)
            asked.append(torch.full_like(negatives, -1))
        if self.passage_translations is not None:
            assert self.passage_slots is not None
            slots = gather_with_gradient(self.passage_slots)
            for groups, found in ((passages, contents), (questions, asked)):
                found.append(groups[:, None].expand_as(slots).masked_fill(~slots, -1).flatten())
        return torch.cat(contents), torch.cat(asked)

    def own_columns(self) -> Tensor:
        """int64 (B, 1 + m): the indices in `columns` of each row's positive and of its m translation slots."""
        size, (rank, world_size) = len(self.queries), rank_and_world()
        rows = (rank * size + torch.arange(size, device=self.queries.device))[:, None]
        if self.passage_translations is None:
            return rows
        negatives = 0 if self.negatives is None else self.negatives.shape[1]
        count = self.passage_translations.shape[1]
        slots = world_size * size * (1 + negatives) + rows * count + torch.arange(count, device=rows.device)
        return torch.cat([rows, slots], dim=1)


@dataclass(frozen=True)
class LossOutput:
    """The loss of one rank's rows, and statistics of the batch for the logs.

    Attributes:
        loss: float32 scalar, mean over the local rows.
        ranks: int64 (B,), rank of each row's positive among its candidates; 1 is best, and ties count as lost.
        candidates: int64 (B,), passages that each query was compared with, its positive included.
        masked: int64 (B,), candidates left out as false negatives.
        parts: name -> float32 scalar, for logs: the terms of a loss that is a sum, and the mean number of empty
            translation slots in a row if the loss takes translations.
    """

    loss: Tensor
    ranks: Tensor
    candidates: Tensor
    masked: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class _GatherRows(torch.autograd.Function):
    """All-gather whose backward pass sums the gradients that the losses of all ranks send to this rank's rows.

    With each rank's loss a mean over its LOCAL rows, DDP's averaging of parameter gradients then gives exactly the
    gradient of the mean over the global batch, without any factor for the number of ranks.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, rows: Tensor) -> Tensor:
        rank, size = rank_and_world()
        parts = [torch.empty_like(rows) for _ in range(size)]
        dist.all_gather(parts, rows.contiguous())
        ctx.share = slice(rank * len(rows), (rank + 1) * len(rows))  # type: ignore[attr-defined]
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *grads: Tensor) -> Tensor:
        total = grads[0].contiguous()
        dist.all_reduce(total)
        return total[ctx.share]  # type: ignore[attr-defined]


def gather_with_gradient(rows: Tensor) -> Tensor:
    """The rows of all ranks, concatenated in rank order, with gradient; a single process returns `rows` itself.

    Args:
        rows: (B, ...), the same shape on every rank. If it is floating point, gradient flows back to every rank.

    Returns:
        (W * B, ...), W being the number of ranks.
    """
    if rank_and_world()[1] == 1:
        return rows
    gathered: Tensor = _GatherRows.apply(rows)
    return gathered
