"""Rows of all ranks, with gradient."""

import torch
import torch.distributed as dist
from torch import Tensor

from hybrid_ir.distributed import rank_and_world


class _GatherRows(torch.autograd.Function):
    """All-gather forward; backward sums what every rank's loss sends to this rank's rows.

    With each rank's loss a mean over its LOCAL rows, DDP's averaging of parameter gradients then gives exactly the
    gradient of the mean over the global batch: no world-size factor belongs anywhere.
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
    """Concatenate the rows of all ranks in order of rank; the identity in a single process.

    Args:
        rows: (B, ...), the same shape on every rank. Gradient flows back to every rank where it is floating point.

    Returns:
        (W * B, ...).
    """
    if rank_and_world()[1] == 1:
        return rows
    gathered: Tensor = _GatherRows.apply(rows)
    return gathered
