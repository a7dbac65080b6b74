"""Collective operations over the processes of a run; the identity in a single process."""

import atexit
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")
PATIENCE = timedelta(hours=6)  # timeout: a process may wait while another encodes its last block


def rank_and_world() -> tuple[int, int]:
    """Rank of this process and number of processes; (0, 1) without a process group."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def join_processes(device: torch.device) -> torch.device:
    """Join the processes that `torchrun` started, if there are several.

    Args:
        device: kind of device to compute on.

    Returns:
        The device of this process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        return device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    atexit.register(dist.destroy_process_group)
    return device


def gather_rows(rows: Tensor) -> Tensor:
    """The concatenated rows of all ranks, in rank order, on every rank. Shapes and dtypes must agree over ranks."""
    _, world = rank_and_world()
    if world == 1:
        return rows
    local = rows.to(_collective_device()).contiguous()
    gathered = [torch.empty_like(local) for _ in range(world)]
    dist.all_gather(gathered, local)
    return torch.cat(gathered).to(rows.device)


def sum_over_ranks(values: Tensor) -> Tensor:
    """Element-wise sum over ranks, on every rank."""
    _, world = rank_and_world()
    if world == 1:
        return values
    total = values.to(_collective_device(), copy=True)
    dist.all_reduce(total)
    return total.to(values.device)


def from_first_rank(make: Callable[[], T]) -> T:
    """The value that `make` returns on the first rank, broadcast to all ranks; other ranks do not call `make`.

    Raises:
        ValueError: `make` raised it; every rank raises it, so that none waits forever.
    """
    rank, world = rank_and_world()
    if world == 1:
        return make()
    answer: list[Any] = [None, None]
    fault = None
    if rank == 0:
        try:
            answer = [make(), None]
        except ValueError as error:
            fault, answer = error, [None, str(error)]
    dist.broadcast_object_list(answer, device=_collective_device())
    value, message = answer
    if message is not None:
        raise fault or ValueError(message)
    return value  # type: ignore[no-any-return]


def _collective_device() -> torch.device:
    # NCCL only moves CUDA tensors; gloo is used for CPU runs. The tensors themselves may be on either device.
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
