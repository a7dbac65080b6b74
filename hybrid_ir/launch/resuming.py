"""Resuming a run: finds its newest intact checkpoint, and tells whether training is already finished."""

import logging
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.rules.metric_rules import macro_metrics
from hybrid_ir.config.rules.resume_rules import check_resume
from hybrid_ir.encoder.build import read_checkpoint
from hybrid_ir.evaluation.benchmarks.subset import SUFFIX
from hybrid_ir.evaluation.results.history import RunHistory
from hybrid_ir.training.compatibility import check_position

log = logging.getLogger(__name__)

KEPT = ("checkpoints/last.ckpt", "checkpoints/previous.ckpt", "hpc_ckpt_*.ckpt")  # the latter is Lightning's on Slurm
UNLIMITED = (None, -1)


@dataclass(frozen=True)
class ResumePoint:
    """A checkpoint to resume from.

    Attributes:
        path: the file.
        step: optimiser steps taken.
        config: the configuration that it was written under.
        finished: why there is nothing left to do under the current configuration; None if there is.
    """

    path: Path
    step: int
    config: Mapping[str, Any]
    finished: str | None = None


def resume_point(cfg: DictConfig) -> ResumePoint | None:
    """The checkpoint to resume from, as `ckpt_path` says; None to train from scratch.

    `last` is the newest checkpoint in the run's folder. A job that Slurm or torchrun restarted resumes by itself, since
    it has the folder of its first start.

    Raises:
        ValueError: there is no intact checkpoint, or its configuration does not fit `cfg`; or no checkpoint was
            requested, but the folder holds those of another run.
    """
    run, asked = Path(cfg.paths.run), cfg.ckpt_path
    kept = kept_checkpoints(run)
    if asked is None and not (kept and _restarted()):
        if kept:
            raise ValueError(
                f"{run} holds the checkpoints of another run; resume it with ckpt_path=last, or give this run another "
                "name=... (under Slurm and torchrun the job names the folder)"
            )
        return None
    folder = run if asked in (None, "last") else Path(asked)
    path = newest_checkpoint(folder) if folder.is_dir() else whole_checkpoint(folder)
    content = read_checkpoint(path)
    if "hyper_parameters" not in content:
        raise ValueError(f"{path} was not written by hybrid_ir: it has no configuration to resume with")
    check_position(content.get("HybridDataModule", {}))
    check_resume(cfg, content["hyper_parameters"])
    point = ResumePoint(path, content["global_step"], content["hyper_parameters"], _finished(cfg, content))
    log.info("resuming from %s, written after %d steps", point.path, point.step)
    return point


def check_evaluated(cfg: DictConfig, history: RunHistory, point: ResumePoint) -> None:
    """Check that a finished run measured every metric that `cfg` asks for.

    Raises:
        ValueError: it did not. Names the missing metrics, and says how to get them.
    """
    newest, measured = history.newest(), set(history.training(since=point.step))
    if newest is not None and newest.provenance["step"] >= point.step:
        # A measure may have no value on a benchmark, so every metric that the evaluation was asked for counts.
        measured |= {*newest.metrics, *_whole_benchmark_metrics(OmegaConf.create(newest.provenance["config"]))}
    asked = _whole_benchmark_metrics(cfg)
    if cfg.optimized_metric is not None:
        asked.append(cfg.optimized_metric)
    missing = [name for name in dict.fromkeys(asked) if name not in measured]
    if missing:
        raise ValueError(
            f"{point.path} is finished, but {', '.join(missing)} was not measured in {history.run}; "
            f"evaluate.py checkpoint={point.path} eval=... evaluates it; or train in another folder (a sweep: name=...)"
        )


def kept_checkpoints(run: Path) -> list[Path]:
    """The checkpoints in a run's folder that it can be resumed from, intact or not, in any order."""
    return [path for pattern in KEPT for path in run.glob(pattern)]


def newest_checkpoint(run: Path) -> Path:
    """The intact checkpoint with the most steps. Damaged newer ones are logged.

    Raises:
        ValueError: the run has no intact checkpoint.
    """
    steps: dict[Path, int] = {}
    damaged: list[str] = []
    for path in kept_checkpoints(run):
        try:
            steps[path] = read_checkpoint(path)["global_step"]
        except ValueError as error:
            damaged.append(str(error))
    for path in sorted(steps, key=lambda path: (steps[path], path.name == "last.ckpt"), reverse=True):
        try:
            whole_checkpoint(path)
        except ValueError as error:
            damaged.append(str(error))
            continue
        if damaged:
            log.warning("%s. Resuming from %s, after %d steps", "; ".join(damaged), path, steps[path])
        return path
    if damaged:
        raise ValueError(f"no checkpoint of {run} is intact: {'; '.join(damaged)}")
    raise ValueError(f"no checkpoint in {run}; name a .ckpt file or the folder of a run that has one")


def whole_checkpoint(path: Path) -> Path:
    """Return `path` after verifying the checksums of the whole file.

    Raises:
        ValueError: the file is missing, damaged, or not a checkpoint.
    """
    if not path.is_file():
        raise ValueError(f"no checkpoint at {path}; name a .ckpt file or the folder of a run that has one")
    try:
        with zipfile.ZipFile(path) as archive:
            fault = archive.testzip()
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{path} is damaged, or not a checkpoint: {error}") from error
    if fault:
        raise ValueError(f"{path} is damaged: the checksum of its part {fault} is wrong")
    return path


def _whole_benchmark_metrics(cfg: DictConfig) -> list[str]:
    """Names of the macro averages over full benchmarks, not subsets."""
    return [name for name in macro_metrics(cfg) if f"{SUFFIX}/" not in name]


def _finished(cfg: DictConfig, checkpoint: Mapping[str, Any]) -> str | None:
    step = checkpoint["global_step"]
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    max_steps, max_epochs = cfg.trainer.get("max_steps"), cfg.trainer.get("max_epochs")
    if max_steps not in UNLIMITED and step >= max_steps:
        return f"{step} of {max_steps} steps are done; raise trainer.max_steps to train further"
    if max_epochs not in UNLIMITED and epochs >= max_epochs:
        return f"{epochs} of {max_epochs} epochs are done ({step} steps); raise trainer.max_epochs to train further"
    patient = any("patience" in callback for callback in (cfg.callbacks or {}).values() if callback is not None)
    if patient and any(state.get("stopped_epoch") for state in checkpoint["callbacks"].values()):
        return f"it was stopped early, after {step} steps; leave out early stopping to train further"
    return None


def _restarted() -> bool:
    """Whether Slurm requeued this job, or torchrun restarted its processes."""
    return any(int(os.environ.get(name) or 0) > 0 for name in ("SLURM_RESTART_COUNT", "TORCHELASTIC_RESTART_COUNT"))
