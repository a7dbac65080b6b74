"""InfoNCE over in-batch negatives of all ranks, with false negatives masked."""

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.model.gather import gather_with_gradient

BLOCK_LOGITS = 2**22  # scores alive at once, 16 MiB: with softmax and gradients about five times that


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
    """

    queries: Tensor
    passages: Tensor
    question_groups: Tensor
    passage_groups: Tensor
    negatives: Tensor | None = None
    negative_groups: Tensor | None = None


@dataclass(frozen=True)
class ContrastiveOutput:
    """What the loss found.

    Attributes:
        loss: float32 scalar, mean over the local rows.
        ranks: int64 (B,), rank of each row's passage among its candidates, 1 is best.
        candidates: int64 (B,), passages each query was compared with, its own included.
        masked: int64 (B,), candidates left out as false negatives.
    """

    loss: Tensor
    ranks: Tensor
    candidates: Tensor
    masked: Tensor


class InfoNCE(nn.Module):
    """-log softmax of a query's own passage among all passages of the global batch, at a temperature.

    For every row i: loss_i = -s(q_i, p_i)/t + log sum_j exp(s(q_i, p_j)/t), over the passages and hard negatives of
    all ranks (van den Oord et al., arXiv:1807.03748; in-batch negatives as in Karpukhin et al., EMNLP 2020). Computed
    in float32 under any autocast. Passages with the group of the row's passage, or of a row that asks the same
    question, are correct answers too: they are left out of the sum.

    Args:
        temperature: t, positive; the start value if it is learned.
        learn_temperature: train log(1/t) along with the encoder, kept within the two bounds by `clamp_temperature`.
        min_temperature: lower bound when learned.
        max_temperature: upper bound when learned.
        symmetric: also rank all queries for each passage, and take the mean of both directions.
        mask_false_negatives: leave known correct answers out of the denominators.

    Raises:
        ValueError: a temperature that is not positive, or outside its bounds.
    """

    def __init__(
        self,
        temperature: float = 0.05,
        learn_temperature: bool = False,
        min_temperature: float = 0.01,
        max_temperature: float = 1.0,
        symmetric: bool = False,
        mask_false_negatives: bool = True,
    ) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"loss.temperature is {temperature}; it must be positive")
        if learn_temperature and not 0 < min_temperature <= temperature <= max_temperature:
            raise ValueError(
                f"loss.temperature={temperature} must lie within "
                f"[min_temperature={min_temperature}, max_temperature={max_temperature}]"
            )
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learn_temperature)
        self.scale_bounds = (-math.log(max_temperature), -math.log(min_temperature))
        self.symmetric, self.mask_false_negatives = symmetric, mask_false_negatives

    @property
    def temperature(self) -> float:
        return math.exp(-self.log_scale.item())

    @torch.no_grad()
    def clamp_temperature(self) -> None:
        """Bring a learned temperature back within its bounds; call it after every optimiser step."""
        if self.log_scale.requires_grad:
            self.log_scale.clamp_(*self.scale_bounds)

    def forward(self, batch: ContrastiveBatch) -> ContrastiveOutput:
        """Loss of the local rows against the passages of every rank. See `ContrastiveBatch` for shapes."""
        with torch.autocast(batch.queries.device.type, enabled=False):
            return self._forward(batch)

    def _forward(self, batch: ContrastiveBatch) -> ContrastiveOutput:
        queries, passages = batch.queries.float(), batch.passages.float()
        columns, contents = gather_with_gradient(passages), gather_with_gradient(batch.passage_groups)
        asked = gather_with_gradient(batch.question_groups)
        # Passages of all ranks first and negatives after them, so that row i's own passage is column `own[i]`.
        own = rank_and_world()[0] * len(queries) + torch.arange(len(queries), device=queries.device)
        if batch.negatives is not None:
            assert batch.negative_groups is not None
            negative_groups = gather_with_gradient(batch.negative_groups).flatten()
            columns = torch.cat([columns, gather_with_gradient(batch.negatives.float()).flatten(0, 1)])
            contents = torch.cat([contents, negative_groups])
            asked = torch.cat([asked, torch.full_like(negative_groups, -1)])
        losses, *counts = self._rank(queries, columns, own, asked, contents)
        loss = losses.mean()
        if self.symmetric:
            backward, *_ = self._rank(passages, gather_with_gradient(queries), own, asked, contents)
            loss = (loss + backward.mean()) / 2
        return ContrastiveOutput(loss, *counts)

    def _rank(self, rows: Tensor, columns: Tensor, own: Tensor, asked: Tensor, contents: Tensor) -> tuple[Tensor, ...]:
        """Compare rows with columns, a block of rows at a time; several blocks are computed anew in the backward pass.

        Args:
            rows: float32 (B, D).
            columns: float32 (C, D).
            own: int64 (B,), each row's column.
            asked: int64, at least (C,): question group of each column, -1 for a hard negative.
            contents: int64, at least (C,): passage group of each column, -1 where there is none.

        Returns:
            (B,) each: float32 losses with gradient; int64 ranks, candidates and masked as in `ContrastiveOutput`.
        """
        scale = self.log_scale.exp()
        asked, contents = asked[: len(columns)], contents[: len(columns)]
        size = max(1, BLOCK_LOGITS // len(columns))
        if len(rows) <= size:
            return self._block(rows, columns, scale, own, asked, contents)
        again = partial(checkpoint, self._block, use_reentrant=False, preserve_rng_state=False)
        blocks = [
            again(block, columns, scale, positions, asked, contents)
            for block, positions in zip(rows.split(size), own.split(size), strict=True)
        ]
        return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))

    def _block(
        self, rows: Tensor, columns: Tensor, scale: Tensor, own: Tensor, asked: Tensor, contents: Tensor
    ) -> tuple[Tensor, ...]:
        numbers = torch.arange(len(rows), device=rows.device)
        masked = (contents[own][:, None] == contents) | (asked[own][:, None] == asked)
        masked[numbers, own] = False
        masked &= self.mask_false_negatives
        absent = masked | (contents == -1)
        logits = (rows @ columns.T * scale).masked_fill(absent, float("-inf"))
        losses = F.cross_entropy(logits, own, reduction="none")
        with torch.no_grad():
            ranks = (logits >= logits[numbers, own][:, None]).sum(1)  # ties count against: a collapse shows
        return losses, ranks, (~absent).sum(1), masked.sum(1)
