"""Jobs of a sweep: finished ones are skipped, interrupted ones resumed, and a failure does not affect the others."""

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

from hybrid_ir.config.processes import check_sweep, is_sweep
from hybrid_ir.config.secrets import redacted
from hybrid_ir.config.stored_configs import with_defaults
from hybrid_ir.evaluation.results.history import EVALUATIONS, RESULTS, TRAINED
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.launch.cli import explain, quiet_libraries
from hybrid_ir.launch.job_record import RECORD, JobRecord, finished_record, version, write_record
from hybrid_ir.launch.resources import share_of_machine
from hybrid_ir.launch.resuming import kept_checkpoints
from hybrid_ir.sources.file_lock import exclusive
from hybrid_ir.training.callbacks import stop_signals

Train = Callable[[DictConfig], float | None]
LOCK = ".lock"
UNTOLD = ("name", "ckpt_path", "paths", "logger")  # keys that decide where a run is stored, not its results


def sweep_job(train: Train) -> Train:
    """Wrap `train` so that it can run as a job of a sweep (`-m`). Single runs are unaffected.

    - If the job's folder holds a finished run of the same resolved configuration, its stored value is returned.
    - If the folder holds a checkpoint, the job is resumed, with or without `ckpt_path=last`. Otherwise it starts from
      scratch.
    - If the job fails, it prints the error, stores it in `job.json` and returns None. The sweep continues, `SWEEP.end`
      reports the failure, and Optuna counts the trial as failed.
    - A stop signal during the last evaluation of a job lets the job finish, and then ends the sweep.
    - Parallel jobs share the machine, see `share_of_machine`. Two processes never run one job at the same time.
    """

    @wraps(train)
    def job(cfg: DictConfig) -> float | None:
        if not is_sweep():
            return train(cfg)
        quiet_libraries()  # processes of launchers reset the filters when they start
        check_sweep(cfg)  # would fail in every job, so it ends the sweep
        run = Path(cfg.paths.run)
        with exclusive(run, run / LOCK):  # a second command with the same job waits, and then finds it finished
            return _attempt(train, cfg, run)

    return job


def _attempt(train: Train, cfg: DictConfig, run: Path) -> float | None:
    hydra = HydraConfig.get()
    overrides, current = list(hydra.overrides.task), ""
    stored, content = finished_record(run), _content(run)
    try:
        current = fingerprint(cfg)
        before = finished(cfg, run, current)
        if before is not None:
            print(f"finished before, not run again: {run}")
            write_record(run, before)  # replaces the record of a later failure, if any
            return before.objective
        (run / RECORD).unlink(missing_ok=True)  # from here on the folder belongs to this attempt
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
    if number := stop_signals.asked():  # too late to stop this job; the next one does not start
        raise SystemExit(128 + number)
    return objective


def fingerprint(cfg: DictConfig) -> str:
    """SHA-256 of the resolved configuration without the keys in `UNTOLD`."""
    return _fingerprint(OmegaConf.to_container(cfg, resolve=True))


def _fingerprint(config: Any) -> str:
    kept = {group: values for group, values in config.items() if group not in UNTOLD}
    return hashlib.sha256(json.dumps(_one_form(kept), sort_keys=True, default=str).encode()).hexdigest()


def _one_form(value: Any) -> Any:
    """Write 1.0 as 1, since both are the same value of a setting."""
    if isinstance(value, dict):
        return {key: _one_form(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_one_form(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def finished(cfg: DictConfig, run: Path, current: str) -> JobRecord | None:
    """The record of a finished run of this configuration in this folder, if its results are complete; else None.

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
            f"{run} holds a finished run of another configuration (config.yaml there) and no checkpoint to resume; "
            "sweep into another folder with hydra.sweep.dir=..., or delete this one"
        )
    return None


def _same_in_older_words(cfg: DictConfig, run: Path) -> bool:
    """Whether the results here have this configuration in the form of an older version (old names, fewer fields)."""
    if not (run / RESULTS).exists():
        return False
    stored = read_results(run / RESULTS).provenance["config"]
    now: Any = OmegaConf.to_container(cfg, resolve=True)
    return _fingerprint(with_defaults(stored)) == _fingerprint(with_defaults(now))


def _content(run: Path) -> dict[Path, tuple[int, int]]:
    """The files of a finished run, each with a value that changes whenever it is rewritten."""
    found = [path for path in (run / RESULTS, run / TRAINED, *kept_checkpoints(run)) if path.exists()]
    return {path: version(path) for path in found}


def prepare_to_resume(cfg: DictConfig, run: Path) -> None:
    """Set the job up to resume from the checkpoint in its folder, or clean the folder if there is none.

    A stopped run advises `ckpt_path=last`. In a sweep this has no further effect, since jobs resume anyway.
    """
    if cfg.ckpt_path not in (None, "last"):
        return
    if kept_checkpoints(run):
        cfg.ckpt_path = "last"
        return
    cfg.ckpt_path = None
    for name in ("config.yaml", RESULTS, TRAINED):  # left by an attempt that failed early
        (run / name).unlink(missing_ok=True)
    shutil.rmtree(run / EVALUATIONS, ignore_errors=True)
