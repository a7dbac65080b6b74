"""Number of training processes, how they were started, and the rules for such runs."""

import os
import shlex
import sys
from itertools import product
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig


def is_sweep() -> bool:
    """Whether this process runs a job of a sweep."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def node_count() -> int:
    """Number of nodes on which srun or torchrun started this program; 1 without them."""
    if _by_slurm():
        return int(os.environ.get("SLURM_NNODES", "1"))
    return int(os.environ["WORLD_SIZE"]) // int(os.environ["LOCAL_WORLD_SIZE"]) if _by_torchrun() else 1


def processes_per_node() -> int:
    """Number of processes that srun or torchrun started on this node; without them, one per GPU, at least one."""
    if _by_slurm():
        return int(os.environ.get("SLURM_NTASKS_PER_NODE", "1"))
    return int(os.environ["LOCAL_WORLD_SIZE"]) if _by_torchrun() else max(1, torch.cuda.device_count())


def process_count(trainer: DictConfig) -> int:
    """Number of processes of a Trainer with this configuration.

    Raises:
        ValueError: `trainer.devices` is neither a number nor a list nor `auto`.
    """
    devices = trainer.get("devices", 1)
    if isinstance(devices, ListConfig):
        devices = len(devices)
    if devices in ("auto", -1, "-1"):
        devices = 1 if trainer.get("accelerator") == "cpu" else max(1, torch.accelerator.device_count())
    if not str(devices).isdecimal():
        raise ValueError(
            f"trainer.devices must be a number, auto or a list of devices, got {devices!r}; write a list as "
            "trainer.devices=[0,1]"
        )
    return int(devices) * int(trainer.get("num_nodes", 1))


def check_sweep(cfg: DictConfig) -> None:
    """Refuse a sweep whose jobs have several processes each.

    Raises:
        ValueError: the jobs do. Lists the command of every job.
    """
    count = process_count(cfg.trainer)
    if count > 1 and is_sweep():
        commands = "\n  ".join(sweep_commands())
        raise ValueError(
            f"-m with {count} processes: Lightning would start the whole sweep again in each of them. Sweep with "
            f"trainer.devices=1, or run the jobs one by one:\n  {commands}"
        )


def check_launch(cfg: DictConfig) -> None:
    """Check that the started processes are those that the configuration expects, and can share the batch.

    Raises:
        ValueError: their number is wrong, or the batch size is not divisible by it.
    """
    count, started = process_count(cfg.trainer), _started()
    if started not in (None, count):
        raise ValueError(
            f"{started} processes were started from outside (torchrun or srun), but trainer.devices="
            f"{cfg.trainer.get('devices', 1)} and trainer.num_nodes={cfg.trainer.get('num_nodes', 1)} make {count}; "
            "trainer=ddp and trainer=slurm take both from the launcher"
        )
    if cfg.data.batch_size % count:
        raise ValueError(
            f"data.batch_size={cfg.data.batch_size} is the global batch; it must be divisible by the {count} processes"
        )


def sweep_commands() -> list[str]:
    """The command of every job of this sweep; only of this job if the sweeper chooses jobs as it goes (Optuna)."""
    program = ["python", Path(sys.argv[0]).name]
    hydra = HydraConfig.get()
    if not hydra.sweeper.get("_target_", "").endswith("BasicSweeper"):
        return [shlex.join([*program, *hydra.overrides.task])]
    words = [word for word in sys.argv[1:] if word not in ("-m", "--multirun") and not word.startswith("hydra.sweep.")]
    choices = [_choices(word) if "=" in word and not word.startswith("-") else [word] for word in words]
    return [shlex.join([*program, *job]) for job in product(*choices)]


def _choices(word: str) -> list[str]:
    override = OverridesParser.create().parse_override(word)
    if not override.is_sweep_override():
        return [word]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def _by_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def in_slurm_shell() -> bool:
    """Whether this program runs in an interactive shell of a Slurm job (srun --pty bash), by Lightning's test.

    Such a program starts its own processes, and several may run in one job.
    """
    return os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")


def _by_slurm() -> bool:
    return "SLURM_NTASKS" in os.environ and not in_slurm_shell()


def _started() -> int | None:
    """Number of processes that torchrun or srun started; None if this program starts its own."""
    if _by_torchrun():
        return int(os.environ["WORLD_SIZE"])
    return int(os.environ["SLURM_NTASKS"]) if _by_slurm() else None
