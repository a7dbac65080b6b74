"""Resources of parallel jobs (`hydra/launcher=joblib`): each gets its share of the cores and its own GPU."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

LOCKS = ".gpus"
WAIT = 0.5  # seconds between checks for a free GPU


def jobs_at_once(launcher: Mapping[str, Any], cores: int) -> int | None:
    """Number of jobs that the launcher runs in parallel on this machine; None if it runs one at a time.

    Args:
        launcher: configuration of the launcher; a negative `n_jobs` counts down from the number of cores, as in joblib.
        cores: number of cores that this process may use.
    """
    jobs = launcher.get("n_jobs")
    if jobs is None:
        return None
    return int(jobs) if jobs > 0 else max(1, cores + 1 + int(jobs))


@contextmanager
def share_of_machine(cfg: DictConfig, launcher: Mapping[str, Any], sweep: Path) -> Iterator[None]:
    """Context that limits a job to its share of the machine if jobs run in parallel.

    The job uses `cores / n_jobs` threads, or fewer if the user set fewer (`OMP_NUM_THREADS`). If it trains on a GPU
    that Lightning would choose (`trainer.devices=1`), it waits for a GPU that no other job of the sweep uses, and
    `trainer.devices` is set to that GPU.

    Args:
        cfg: the job's configuration.
        launcher: the configuration of Hydra's launcher.
        sweep: folder of the sweep, shared by all its jobs.
    """
    if launcher.get("n_jobs") is None:
        yield
        return
    import joblib  # installed with the launcher; also respects the limits of a container

    cores = joblib.cpu_count()
    torch.set_num_threads(min(torch.get_num_threads(), max(1, cores // (jobs_at_once(launcher, cores) or 1))))
    gpus = torch.cuda.device_count()
    if gpus == 0 or cfg.trainer.get("accelerator") not in ("auto", "gpu", "cuda") or cfg.trainer.devices != 1:
        yield
        return
    with own_gpu(sweep / LOCKS, gpus) as gpu:
        torch.cuda.set_device(gpu)  # so that this job creates no context on another GPU
        cfg.trainer.devices = [gpu]
        yield


@contextmanager
def own_gpu(locks: Path, count: int) -> Iterator[int]:
    """Reserve a GPU that no other job holds, waiting for one if necessary. It is released when the process ends."""
    locks.mkdir(parents=True, exist_ok=True)
    while True:
        for gpu in range(count):
            with (locks / str(gpu)).open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield gpu
                return
        time.sleep(WAIT)
