"""Processes that train and evaluate together; every function is the identity where there is one."""

import torch
import torch.distributed as dist
from torch import Tensor


def rank_and_world() -> tuple[int, int]:
    """This process' number and the number of processes; (0, 1) where nothing is distributed."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def gather_rows(rows: Tensor) -> Tensor:
    """Rows of all ranks in rank order, the same on every rank. Every rank must give the same shape and dtype."""
    _, world = rank_and_world()
    if world == 1:
        return rows
    local = rows.to(_collective_device()).contiguous()
    gathered = [torch.empty_like(local) for _ in range(world)]
    dist.all_gather(gathered, local)
    return torch.cat(gathered).to(rows.device)


def sum_over_ranks(values: Tensor) -> Tensor:
    """Element-wise sum over ranks, the same on every rank."""
    _, world = rank_and_world()
    if world == 1:
        return values
    total = values.to(_collective_device(), copy=True)
    dist.all_reduce(total)
    return total.to(values.device)


def _collective_device() -> torch.device:
    # NCCL moves CUDA tensors only, and gloo is here for CPU runs; the vectors may lie on either.
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
