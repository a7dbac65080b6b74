"""InfoNCE over in-batch negatives of all ranks, with false negatives masked."""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.losses.contrastive import ContrastiveBatch, ContrastiveOutput, Vectors
from hybrid_ir.losses.gather import gather_with_gradient
from hybrid_ir.losses.translated import slot_groups
from hybrid_ir.sampling.translations import NONE, Translations

BLOCK_LOGITS = 2**22  # scores alive at once, 16 MiB: with softmax and gradients about five times that
EMPTY_SLOTS = "missing_translations"  # what the number of them is logged as


class InfoNCE(nn.Module):
    """-log softmax of a query's own passage among all passages of the global batch, at a temperature.

    For every row i: loss_i = -s(q_i, p_i)/t + log sum_j exp(s(q_i, p_j)/t), over the passages and hard negatives of
    all ranks (van den Oord et al., arXiv:1807.03748; in-batch negatives as in Karpukhin et al., EMNLP 2020). Computed
    in float32 under any autocast. Passages with the group of the row's passage, or of a row that asks the same
    question, are correct answers too: they are left out of the sum.

    A loss over the same candidates with the same masks is a subclass: `spaces` says which vectors are compared, and
    `row_losses` makes losses of their scores.

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

    needs_teacher = False
    translations: Translations = NONE
    """What the loss wants of every row beside its pair."""
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

    @property
    def part_names(self) -> tuple[str, ...]:
        """Keys of the output's `parts`."""
        return (*self.parts, *([EMPTY_SLOTS] if self.translations else []))

    @torch.no_grad()
    def clamp_temperature(self) -> None:
        """Bring a learned temperature back within its bounds; call it after every optimiser step."""
        if self.log_scale.requires_grad:
            self.log_scale.clamp_(*self.scale_bounds)

    def forward(self, batch: ContrastiveBatch) -> ContrastiveOutput:
        """Loss of the local rows against the passages of every rank. See `ContrastiveBatch` for shapes."""
        with torch.autocast(batch.queries.device.type, enabled=False):
            return self._forward(batch)

    def spaces(self, batch: ContrastiveBatch) -> list[Vectors]:
        """The vector spaces that scores are taken in, the trained encoder's first.

        Translations of passages in them are candidates, and correct answers of their own row.
        """
        return [Vectors(batch.queries, batch.passages, batch.negatives)]

    def row_losses(self, scores: Sequence[Tensor], absent: Tensor, own: Tensor) -> Tensor:
        """Losses of b rows.

        Args:
            scores: float32 (b, C) for each of `spaces`.
            absent: bool (b, C), columns that do not count for a row: false negatives, empty slots and the translations
                of its own passage.
            own: int64 (b, 1 + m), the columns of each row's own passage and of its m translations; -1 for none.

        Returns:
            float32 (1 + parts, b): what is minimised, and what it is made of.
        """
        logits = (scores[0] * self.log_scale.exp()).masked_fill(absent, float("-inf"))
        return F.cross_entropy(logits, own[:, 0], reduction="none")[None]

    def _forward(self, batch: ContrastiveBatch) -> ContrastiveOutput:
        spaces = [space.float() for space in self.spaces(batch)]
        contents, asked = gather_with_gradient(batch.passage_groups), gather_with_gradient(batch.question_groups)
        # Row i's own passage is column `rows[i]`.
        size = len(batch.queries)
        rows = rank_and_world()[0] * size + torch.arange(size, device=batch.queries.device)
        own = rows[:, None]
        if batch.negatives is not None:
            assert batch.negative_groups is not None
            negative_groups = gather_with_gradient(batch.negative_groups).flatten()
            contents = torch.cat([contents, negative_groups])
            asked = torch.cat([asked, torch.full_like(negative_groups, -1)])
        if (translations := spaces[0].passage_translations) is not None:
            present, count = gather_with_gradient(translations.present), translations.present.shape[1]
            slots = torch.arange(count, device=rows.device)
            own = torch.cat([own, len(contents) + rows[:, None] * count + slots], dim=1)
            contents = torch.cat([contents, slot_groups(contents[: len(present)], present)])
            asked = torch.cat([asked, slot_groups(asked[: len(present)], present)])
        queries = [space.queries for space in spaces]
        columns = [space.columns() for space in spaces]
        losses, ranks, candidates, masked = self._rank(queries, columns, own, asked, contents)
        means = losses.mean(1)
        if self.symmetric:
            passages, columns = [space.passages for space in spaces], [*map(gather_with_gradient, queries)]
            backward, *_ = self._rank(passages, columns, rows[:, None], asked, contents)
            means = (means + backward.mean(1)) / 2
        parts = dict(zip(self.parts, means[1:].detach(), strict=True)) | _empty_slots(batch)
        return ContrastiveOutput(means[0], ranks, candidates, masked, parts)

    def _rank(
        self, rows: Sequence[Tensor], columns: Sequence[Tensor], own: Tensor, asked: Tensor, contents: Tensor
    ) -> tuple[Tensor, ...]:
        """Compare rows with columns, a block of rows at a time; several blocks are computed anew in the backward pass.

        Args:
            rows: float32 (B, D) for each vector space.
            columns: float32 (C, D) for each vector space.
            own: int64 (B, 1 + m), the columns of each row's own passage and of its translations, if these are columns.
            asked: int64, at least (C,): question group of each column, -1 for a hard negative.
            contents: int64, at least (C,): passage group of each column, -1 where there is none.

        Returns:
            float32 (1 + parts, B) losses with gradient; int64 (B,) ranks, candidates and masked as in
            `ContrastiveOutput`.
        """
        width = len(columns[0])
        asked, contents = asked[:width], contents[:width]
        size = max(1, BLOCK_LOGITS // (width * len(columns)))
        if len(own) <= size:
            return self._block(rows, columns, own, asked, contents)
        again = partial(checkpoint, self._block, use_reentrant=False, preserve_rng_state=False)
        blocks = [
            again(block, columns, positions, asked, contents)
            for *block, positions in zip(*(part.split(size) for part in rows), own.split(size), strict=True)
        ]
        return tuple(torch.cat(parts, dim=-1) for parts in zip(*blocks, strict=True))

    def _block(
        self, rows: Sequence[Tensor], columns: Sequence[Tensor], own: Tensor, asked: Tensor, contents: Tensor
    ) -> tuple[Tensor, ...]:
        numbers = torch.arange(len(own), device=own.device)
        first = own[:, 0]
        masked = (contents[first][:, None] == contents) | (asked[first][:, None] == asked)
        masked.scatter_(1, own, False)
        masked &= self.mask_false_negatives
        absent = (masked | (contents == -1)).scatter_(1, own, True)
        absent[numbers, first] = False
        scores = [row @ column.T for row, column in zip(rows, columns, strict=True)]
        losses = self.row_losses(scores, absent, own.masked_fill(contents[own] == -1, -1))
        with torch.no_grad():
            better = (scores[0] >= scores[0][numbers, first][:, None]) & ~absent
            ranks = better.sum(1)  # ties count against: a collapse shows
        return losses, ranks, (~absent).sum(1), masked.sum(1)


def _empty_slots(batch: ContrastiveBatch) -> dict[str, Tensor]:
    """Translations that a row lacks on average; nothing without slots."""
    sides = [side for side in (batch.question_translations, batch.passage_translations) if side is not None]
    return {EMPTY_SLOTS: sum((~side.present).sum(1).float().mean() for side in sides)} if sides else {}  # type: ignore[dict-item]
