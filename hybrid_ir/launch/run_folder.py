"""Folders of runs: how they are named, and how a process claims a new one for itself."""

import os
import time
from itertools import count
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from hybrid_ir.config.names import check_run_name
from hybrid_ir.config.processes import in_slurm_shell, node_count
from hybrid_ir.config.secrets import check_text
from hybrid_ir.launch.resuming import kept_checkpoints


def run_dir(outputs: str, name: str, ckpt_path: str | None) -> str:
    """The folder of a run: a new one, or with `ckpt_path=last` that of the newest run of this name.

    Under Slurm and torchrun the folder is named after the job, so that all ranks and a requeued job share it. In an
    interactive shell of a Slurm job, every run gets its own folder. The name of a new folder is only settled once
    `claim_run` made it.

    Raises:
        ValueError: `ckpt_path=last`, but no run of this name has a checkpoint; torchrun on several nodes has no
            --rdzv_id; or the name leads out of `outputs` or holds a secret.
    """
    check_text("name", name)
    check_run_name(name)
    runs = Path(outputs) / name
    if ckpt_path == "last":
        written = {path.stat().st_mtime: run for run in runs.glob("*") for path in kept_checkpoints(run)}
        if not written:
            raise ValueError(f"ckpt_path=last, but no run in {runs} has a checkpoint")
        return str(written[max(written)])
    return str(runs / (_job() or time.strftime("%Y-%m-%d_%H-%M-%S")))


def claim_run(cfg: DictConfig) -> None:
    """Make the folder of a new run, and put its path into `hydra.run.dir`, before Hydra writes anything there.

    Runs of one name that start in the same second get different folders. Nothing is claimed if several processes share
    the folder, or if it was given: `hydra.run.dir=...` (as Lightning does for its other ranks), or `ckpt_path=last`.

    Args:
        cfg: the full configuration, including the `hydra` node.

    Raises:
        ValueError: a file is where the folders of this name would be.
    """
    given: Any = OmegaConf.to_container(cfg.hydra.run, resolve=False)
    if "${run_dir:" not in given["dir"] or cfg.get("ckpt_path") == "last" or _job() is not None:
        return
    with read_write(cfg.hydra), open_dict(cfg.hydra):
        cfg.hydra.run.dir = str(new_folder(Path(cfg.hydra.run.dir)))


def new_folder(path: Path) -> Path:
    """Make a folder that did not exist before: `path`, or if it is taken, `path` with `_2`, `_3`, and so on.

    Raises:
        ValueError: a parent of `path` is a file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"cannot make the folder {path.parent}: {error.filename} is a file") from None
    for number in count(1):
        claimed = path if number == 1 else path.with_name(f"{path.name}_{number}")
        try:
            claimed.mkdir()
        except FileExistsError:
            continue
        return claimed
    raise AssertionError("unreachable")


def _job() -> str | None:
    """The name of the folder that the processes of a job of Slurm or torchrun share; None without such a job."""
    slurm, torchrun = os.environ.get("SLURM_JOB_ID"), os.environ.get("TORCHELASTIC_RUN_ID")
    if slurm and not in_slurm_shell():
        return f"slurm-{slurm}-{os.environ.get('SLURM_STEP_ID', '0')}"
    if torchrun == "none":  # without --rdzv_id and --standalone; the ranks of one node have torchrun as parent
        if node_count() > 1:
            raise ValueError(
                "torchrun on several nodes needs --rdzv_id=NAME, the same on all: it names the run's folder"
            )
        torchrun = str(os.getppid())
    return f"torchrun-{torchrun}" if torchrun else None
