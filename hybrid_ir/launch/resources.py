"""What a job may use while others run next to it (`hydra/launcher=joblib`): its share of the cores, its own GPU."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

LOCKS = ".gpus"
WAIT = 0.5  # seconds between two looks at whether a GPU has become free


def jobs_at_once(launcher: Mapping[str, Any], cores: int) -> int | None:
    """How many jobs the launcher runs in parallel on this machine; None for one that does not.

    Args:
        launcher: its configuration; a negative `n_jobs` counts down from the number of cores, as in joblib.
        cores: that this process may use.
    """
    jobs = launcher.get("n_jobs")
    if jobs is None:
        return None
    return int(jobs) if jobs > 0 else max(1, cores + 1 + int(jobs))


@contextmanager
def share_of_machine(cfg: DictConfig, launcher: Mapping[str, Any], sweep: Path) -> Iterator[None]:
    """Keep a job that has neighbours within its share; does nothing for a job that has none.

    It computes with `cores / n_jobs` threads, or fewer if the user has set fewer (`OMP_NUM_THREADS`). If it would
    train on a GPU that Lightning picks (`trainer.devices=1`), it waits for one that no other job of the sweep is on,
    and `trainer.devices` names that one.

    Args:
        cfg: the job's configuration.
        launcher: the configuration of Hydra's launcher.
        sweep: the sweep's folder, which all its jobs see.
    """
    if launcher.get("n_jobs") is None:
        yield
        return
    import joblib  # comes with the launcher; it knows of a container's limit too

    cores = joblib.cpu_count()
    torch.set_num_threads(min(torch.get_num_threads(), max(1, cores // (jobs_at_once(launcher, cores) or 1))))
    gpus = torch.cuda.device_count()
    if gpus == 0 or cfg.trainer.get("accelerator") not in ("auto", "gpu", "cuda") or cfg.trainer.devices != 1:
        yield
        return
    with own_gpu(sweep / LOCKS, gpus) as gpu:
        torch.cuda.set_device(gpu)  # nothing of this job shall start a context on another
        cfg.trainer.devices = [gpu]
        yield


@contextmanager
def own_gpu(locks: Path, count: int) -> Iterator[int]:
    """The number of a GPU that no other job holds; waits until there is one. A process that ends frees what it held."""
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
