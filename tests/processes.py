"""Runs a function in several gloo processes on this machine."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

DEADLINE = 600.0  # seconds; only a hang should meet it, however busy the machine


def _enter(rank: int, worker: Callable[..., None], world_size: int, meeting: str, arguments: tuple) -> None:
    torch.set_num_threads(1)  # a forked child hangs in OpenMP otherwise
    # What torchrun sets, so that Lightning takes these processes for its ranks and starts none.
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world_size, "LOCAL_WORLD_SIZE": world_size}
    os.environ.update({name: str(value) for name, value in ranks.items()} | {"TORCHELASTIC_RUN_ID": "test"})
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world_size)
    try:
        worker(rank, world_size, *arguments)
    finally:
        dist.destroy_process_group()


def run_processes(worker: Callable[..., None], world_size: int, folder: Path, *arguments: object) -> None:
    """Call `worker(rank, world_size, *arguments)` in `world_size` processes; fails if any fails or hangs."""
    context = mp.start_processes(
        _enter,
        args=(worker, world_size, str(folder / "meeting"), arguments),
        nprocs=world_size,
        join=False,
        start_method="fork",
    )
    deadline = time.monotonic() + DEADLINE
    while not context.join(timeout=5):
        if time.monotonic() > deadline:
            for process in context.processes:
                process.kill()
            raise TimeoutError(f"{world_size} processes did not finish within {DEADLINE} s")
