"""A job of a sweep: skipped if it finished before, resumed if it was cut off; its failure leaves the others alone."""

import hashlib
import json
import shutil
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.defaults import with_defaults
from hybrid_ir.config.processes import check_sweep, is_sweep
from hybrid_ir.config.secrets import redacted
from hybrid_ir.evaluation.results.history import EVALUATIONS, RESULTS, TRAINED
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.launch.cli import explain, quiet_libraries
from hybrid_ir.launch.job_record import RECORD, JobRecord, finished_record, version, write_record
from hybrid_ir.launch.resources import share_of_machine
from hybrid_ir.launch.resuming import kept_checkpoints
from hybrid_ir.training.callbacks import stop_signals

Train = Callable[[DictConfig], float | None]
UNTOLD = ("name", "ckpt_path", "paths", "logger")  # they decide where a run is kept and shown, not what it finds


def sweep_job(train: Train) -> Train:
    """Make `train` a job of a sweep when `-m` runs it; a single run is left as it is.

    - A job whose folder holds a finished run of the same resolved configuration is not run again: its stored value is
      returned.
    - A job whose folder holds a checkpoint is resumed, with `ckpt_path=last` or without; others start from scratch.
    - A job that fails says so, leaves its error in `job.json` and returns None: the sweep continues, and `SWEEP.end`
      reports it. Optuna counts such a trial as failed.
    - A signal to stop that came too late for a job, in its last evaluation, ends the sweep after it.
    - Jobs that run at the same time share the machine, see `share_of_machine`.
    """

    @wraps(train)
    def job(cfg: DictConfig) -> float | None:
        if not is_sweep():
            return train(cfg)
        quiet_libraries()  # launchers' processes reset filters after they began
        check_sweep(cfg)  # no job could run: not one failure of many
        hydra, run = HydraConfig.get(), Path(cfg.paths.run)
        overrides, current = list(hydra.overrides.task), ""
        stored, content = finished_record(run), _content(run)
        try:
            current = fingerprint(cfg)
            before = finished(cfg, run, current)
            if before is not None:
                print(f"finished before, not run again: {run}")
                write_record(run, before)  # in place of a failure since, if there was one
                return before.objective
            (run / RECORD).unlink(missing_ok=True)  # from here on the folder is this attempt's
            with share_of_machine(cfg, hydra.launcher, Path(hydra.sweep.dir)):
                prepare_to_resume(cfg, run)
                objective = train(cfg)
        except Exception as error:
            message = explain(error)
            if message is None:
                print(redacted(traceback.format_exc()), end="", file=sys.stderr)
                message = "".join(traceback.format_exception_only(error)).strip()
            message = redacted(message)
            print(f"error: {message}", file=sys.stderr)
            stands = stored if _content(run) == content else None  # an attempt that was refused changed nothing
            write_record(run, JobRecord(overrides, current, error=message, before=stands))
            return None
        write_record(run, JobRecord(overrides, current, objective))
        if number := stop_signals.asked():  # too late for this job, but not for the next
            raise SystemExit(128 + number)
        return objective

    return job


def fingerprint(cfg: DictConfig) -> str:
    """SHA-256 of the resolved configuration, without what only says where a run is kept and shown."""
    return _fingerprint(OmegaConf.to_container(cfg, resolve=True))


def _fingerprint(config: Any) -> str:
    kept = {group: values for group, values in config.items() if group not in UNTOLD}
    return hashlib.sha256(json.dumps(_one_form(kept), sort_keys=True, default=str).encode()).hexdigest()


def _one_form(value: Any) -> Any:
    """1.0 as 1: the same value, whether the command or the type of its setting wrote it."""
    if isinstance(value, dict):
        return {key: _one_form(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_one_form(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def finished(cfg: DictConfig, run: Path, current: str) -> JobRecord | None:
    """The record of a finished run of this configuration in this folder, with the results it should have.

    Raises:
        ValueError: the folder holds a finished run of another configuration, and no checkpoint to resume from.
    """
    record = finished_record(run)
    if record is None:
        return None
    complete = (run / RESULTS).exists() or not cfg.eval.benchmarks
    if record.config == current or _same_in_older_words(cfg, run):
        return record if complete else None
    if complete and not kept_checkpoints(run):
        raise ValueError(
            f"{run} holds a finished run of another configuration (config.yaml there) and no checkpoint to resume "
            "from; sweep into another folder with hydra.sweep.dir=..., or delete this one"
        )
    return None


def _same_in_older_words(cfg: DictConfig, run: Path) -> bool:
    """Whether the results here are of this configuration, as older code wrote it: other names, fewer fields."""
    if not (run / RESULTS).exists():
        return False
    stored = read_results(run / RESULTS).provenance["config"]
    now: Any = OmegaConf.to_container(cfg, resolve=True)
    return _fingerprint(with_defaults(stored)) == _fingerprint(with_defaults(now))


def _content(run: Path) -> dict[Path, tuple[int, int]]:
    """What makes a finished run, with what changes whenever it is rewritten."""
    found = [path for path in (run / RESULTS, run / TRAINED, *kept_checkpoints(run)) if path.exists()]
    return {path: version(path) for path in found}


def prepare_to_resume(cfg: DictConfig, run: Path) -> None:
    """Let the job resume from the checkpoint in its folder; without one it starts from scratch, in a clean folder.

    `ckpt_path=last` is what a run that was told to stop advises: here it asks for no more than what is done anyway.
    """
    if cfg.ckpt_path not in (None, "last"):
        return
    if kept_checkpoints(run):
        cfg.ckpt_path = "last"
        return
    cfg.ckpt_path = None
    for name in ("config.yaml", RESULTS, TRAINED):  # of an attempt that came to nothing
        (run / name).unlink(missing_ok=True)
    shutil.rmtree(run / EVALUATIONS, ignore_errors=True)
