"""InfoNCE over the in-batch negatives of all ranks, with known false negatives masked: the base of every loss."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hybrid_ir.losses.contrastive import BatchVectors, LossOutput, gather_with_gradient
from hybrid_ir.sampling.translations import NONE, Translations
from hybrid_ir.sources.errors import check_choice

BLOCK_LOGITS = 2**22  # scores held at once, 16 MiB; with softmax and gradients about five times as much
Negatives = Literal["all", "hard"]  # what competes with a row's positive
HARD: Negatives = "hard"
EMPTY_SLOTS = "missing_translations"  # log name of the number of empty slots


class InfoNCE(nn.Module):
    """-log softmax of a query's positive among all passages of the global batch, at a temperature.

    For every row i: loss_i = -s(q_i, p_i)/t + log sum_j exp(s(q_i, p_j)/t), over the passages and hard negatives of
    all ranks (van den Oord et al., arXiv:1807.03748; in-batch negatives as in Karpukhin et al., EMNLP 2020). It is
    computed in float32 even under autocast. Passages in the group of the row's positive, or in that of a row that asks
    the same question, are known correct answers and left out of the sum.

    With `negatives="hard"` the sum is over p_i and the hard negatives of all ranks, without other rows' passages: the
    denominator that Equation 1 of arXiv:2408.10536 prints for a batch of triplets.

    The scores are computed in blocks of rows, so memory does not grow with the square of the batch. To write a loss
    over the same candidates and masks, subclass this one: `spaces` says which vectors are compared, and `row_losses`
    turns their scores into losses.

    Args:
        temperature: t, positive; the start value if it is learned.
        learn_temperature: train log(1/t) along with the encoder; `clamp_temperature` keeps it within its bounds.
        min_temperature: lower bound of a learned temperature.
        max_temperature: upper bound of a learned temperature.
        symmetric: also rank all queries for each passage, and take the mean of both directions.
        mask_false_negatives: leave known correct answers out of the denominators.
        negatives: `all` passages of other rows and all hard negatives, or the `hard` negatives alone.

    Raises:
        ValueError: the temperature is not positive, or is learned and starts outside its bounds; `negatives` is
            unknown, or `hard` with `symmetric`.
    """

    needs_teacher = False
    translations: Translations = NONE
    """Translations that the loss needs for each row, in addition to its pair."""
    parts: tuple[str, ...] = ()
    """Names of the rows of `row_losses` after the first."""

    def __init__(
        self,
        temperature: float = 0.05,
        learn_temperature: bool = False,
        min_temperature: float = 0.01,
        max_temperature: float = 1.0,
        symmetric: bool = False,
        mask_false_negatives: bool = True,
        negatives: Negatives = "all",
    ) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"loss.temperature must be positive, got {temperature}")
        if learn_temperature and not 0 < min_temperature <= temperature <= max_temperature:
            raise ValueError(
                f"loss.temperature={temperature} must lie within "
                f"[min_temperature={min_temperature}, max_temperature={max_temperature}]"
            )
        check_choice("loss.negatives", negatives, get_args(Negatives))
        if symmetric and negatives == HARD:
            raise ValueError(
                "loss.symmetric=true compares a passage with the questions of other rows, which loss.negatives=hard "
                "leaves out; choose one of them"
            )
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learn_temperature)
        self.scale_bounds = (-math.log(max_temperature), -math.log(min_temperature))
        self.symmetric, self.mask_false_negatives = symmetric, mask_false_negatives
        self.negatives = negatives

    @property
    def temperature(self) -> float:
        return math.exp(-self.log_scale.item())

    @property
    def needs_negatives(self) -> bool:
        """Whether a row has nothing to compare with except hard negatives."""
        return self.negatives == HARD

    @property
    def part_names(self) -> tuple[str, ...]:
        """Keys of the output's `parts`."""
        return (*self.parts, *([EMPTY_SLOTS] if self.translations else []))

    @torch.no_grad()
    def clamp_temperature(self) -> None:
        """Bring a learned temperature back within its bounds; call it after every optimiser step."""
        if self.log_scale.requires_grad:
            self.log_scale.clamp_(*self.scale_bounds)

    def forward(self, batch: BatchVectors) -> LossOutput:
        """The loss of the local rows against the passages of every rank."""
        with torch.autocast(batch.queries.device.type, enabled=False):
            return self._forward(batch.float())

    def spaces(self, batch: BatchVectors) -> list[BatchVectors]:
        """The batch in each vector space that scores are computed in, the trained encoder's first.

        Passage translations, if a batch has them, are candidates, and correct answers for their own row.
        """
        return [replace(batch, passage_translations=None, passage_slots=None)]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        """The losses of b rows.

        Args:
            scores: float32 (b, C), one for each of `spaces`.
            absent: bool (b, C), columns left out for a row: false negatives, empty slots, the translations of its
                positive and, with `negatives="hard"`, the passages of other rows.
            own: int64 (b, 1 + m), the columns of each row's positive and of its m translations; -1 for none.

        Returns:
            float32 (1 + parts, b): the minimised loss, then its parts.
        """
        logits = (scores[0] * self.log_scale.exp()).masked_fill(absent, float("-inf"))
        return F.cross_entropy(logits, own[:, 0], reduction="none")[None]

    def _forward(self, batch: BatchVectors) -> LossOutput:
        spaces = self.spaces(batch)
        own, groups = spaces[0].own_columns(), spaces[0].column_groups()
        queries, columns = [space.queries for space in spaces], [space.columns() for space in spaces]
        losses, ranks, candidates, masked = self.compare(queries, columns, own, *groups)
        means = losses.mean(1)
        if self.symmetric:
            passages, columns = [space.passages for space in spaces], [*map(gather_with_gradient, queries)]
            backward, *_ = self.compare(passages, columns, own[:, :1], *groups)
            means = (means + backward.mean(1)) / 2
        parts = dict(zip(self.parts, means[1:].detach(), strict=True)) | _empty_slots(batch)
        return LossOutput(means[0], ranks, candidates, masked, parts)

    def compare(
        self, rows: Sequence[Tensor], columns: Sequence[Tensor], own: Tensor, contents: Tensor, asked: Tensor
    ) -> tuple[Tensor, ...]:
        """Compare rows with columns in blocks of rows; the backward pass recomputes each block.

        Args:
            rows: float32 (B, D) for each vector space.
            columns: float32 (C, D) for each vector space.
            own: int64 (B, 1 + m), the columns of each row's positive and of its translations, if these are columns.
            contents: int64, at least (C,): passage group of each column, -1 for an empty slot.
            asked: int64, at least (C,): question group of each column, -1 for a hard negative.

        Returns:
            float32 (1 + parts, B) losses with gradient; int64 (B,) ranks, candidates and masked as in `LossOutput`.
        """
        width = len(columns[0])
        contents, asked = contents[:width], asked[:width]
        size = max(1, BLOCK_LOGITS // (width * len(columns)))
        if len(own) <= size:
            return self._block(rows, columns, own, contents, asked)
        recomputed = partial(checkpoint, self._block, use_reentrant=False, preserve_rng_state=False)
        blocks = [
            recomputed(block, columns, positions, contents, asked)
            for *block, positions in zip(*(part.split(size) for part in rows), own.split(size), strict=True)
        ]
        return tuple(torch.cat(parts, dim=-1) for parts in zip(*blocks, strict=True))

    def _block(
        self, rows: Sequence[Tensor], columns: Sequence[Tensor], own: Tensor, contents: Tensor, asked: Tensor
    ) -> tuple[Tensor, ...]:
        numbers = torch.arange(len(own), device=own.device)
        first = own[:, 0]
        left_out = contents == -1
        if self.negatives == HARD:
            left_out = left_out | (asked != -1)
        masked = (contents[first][:, None] == contents) | (asked[first][:, None] == asked)
        masked.scatter_(1, own, False)
        masked &= ~left_out & self.mask_false_negatives
        absent = (masked | left_out).scatter_(1, own, True)
        absent[numbers, first] = False
        scores = [row @ column.T for row, column in zip(rows, columns, strict=True)]
        losses = self.row_losses(scores, absent, own.masked_fill(contents[own] == -1, -1))
        with torch.no_grad():
            better = (scores[0] >= scores[0][numbers, first][:, None]) & ~absent
            ranks = better.sum(1)  # a tie counts as lost, so that a collapsed encoder does not look perfect
        return losses, ranks, (~absent).sum(1), masked.sum(1)


def _empty_slots(batch: BatchVectors) -> dict[str, Tensor]:
    """The mean number of translations that a row lacks; nothing if the loss takes none."""
    sides = [slots for slots in (batch.question_slots, batch.passage_slots) if slots is not None]
    return {EMPTY_SLOTS: sum((~slots).sum(1).float().mean() for slots in sides)} if sides else {}  # type: ignore[dict-item]
