"""Sweeps run for real: their folders, failures, repetition, and what they return to a sweeper."""

import os
from pathlib import Path
from typing import Any

import joblib
import lightning as L
import pytest
import torch
import wandb
import yaml

from hybrid_ir.commands.report import main as report
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.launch.job_record import finished_record, read_record
from tests.launch.conftest import Sweep
from tests.reports.offline_wandb import read_offline

OBJECTIVE = "world/multilingual/map"


class Probe(L.Callback):
    """Notes in the job's folder, a line an attempt, with how many threads it computed and from which step.

    A run with `alpha=failing` fails in its second epoch, until there is a file `mended` beside the jobs' folders.
    """

    def __init__(self, folder: str, alpha: float, failing: float = -1.0) -> None:
        self.folder, self.fails = Path(folder), alpha == failing

    def on_train_start(self, trainer: L.Trainer, *_: Any) -> None:
        with (self.folder / "attempts").open("a") as file:
            file.write(f"{os.getpid()} {torch.get_num_threads()} {trainer.global_step}\n")

    def on_train_epoch_start(self, trainer: L.Trainer, *_: Any) -> None:
        if self.fails and trainer.current_epoch == 1 and not (self.folder.parent / "mended").exists():
            raise OSError("the disk is full")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the sweep, which is called demo."""
    return tmp_path / "outputs" / "sweeps" / "demo"


PROBE = [
    "+callbacks.probe._target_=tests.launch.test_sweep.Probe",
    "+callbacks.probe.folder=${paths.run}",
    "+callbacks.probe.alpha=${sampler.alpha}",
]


def attempts(run: Path) -> list[list[int]]:
    return [[int(word) for word in line.split()] for line in (run / "attempts").read_text().splitlines()]


def test_every_job_is_an_ordinary_run_in_a_folder_of_its_own_and_a_run_of_wandb(
    sweep: Sweep, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by what varies; in W&B grouped by the sweep, and closed, as failed where the job failed."""
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb_data"))
    started, closed = [], []
    start, finish = wandb.init, wandb.finish

    def note_start(*args: Any, **kwargs: Any) -> Any:
        assert wandb.run is None
        started.append({key: kwargs.get(key) for key in ("name", "group", "job_type")})
        return start(*args, **kwargs)

    def note_finish(exit_code: int | None = None, **kwargs: Any) -> None:
        closed.append(exit_code)
        finish(exit_code=exit_code, **kwargs)

    monkeypatch.setattr(wandb, "init", note_start)
    monkeypatch.setattr(wandb, "finish", note_finish)
    options = ["trainer.max_epochs=2", "logger=wandb", "logger.wandb.offline=true", *PROBE]
    assert sweep("sampler.alpha=0,1", *options, "+callbacks.probe.failing=0") == 1
    names = [f"alpha-{alpha}" for alpha in (0, 1)]
    assert started == [{"name": name, "group": "demo", "job_type": "train"} for name in names]
    assert closed == [1, 0] and wandb.run is None
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == names

    run, record = folder / names[1], read_record(folder / names[1])
    assert record is not None and record.error is None
    assert yaml.safe_load((run / "config.yaml").read_text())["sampler"]["alpha"] == 1
    results, logged = read_results(run / "results.json"), read_offline(run)
    assert results.provenance["command"] == ["train.py", *record.overrides]
    assert record.objective == results.metrics[OBJECTIVE]
    shown = {name: value for name, value in results.metrics.items() if name in logged.curves}
    assert OBJECTIVE in shown and f"{OBJECTIVE}/de" in shown
    assert {name: logged.curves[name][-1] for name in shown} == pytest.approx(shown, rel=1e-6)
    assert logged.config["sampler"]["alpha"] == 1
    assert len(report([str(folder)]).split("\n\n")[0].splitlines()) == 2 + 1  # a row a finished run


def test_failed_job_leaves_the_others_alone_and_the_same_command_resumes_it(
    sweep: Sweep, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The middle job fails in its second epoch, the last by its configuration; then the first cause is removed."""
    command = ["sampler.alpha=0,0.5,2", "trainer.max_epochs=2", *PROBE, "+callbacks.probe.failing=0.5"]
    assert sweep(*command) == 1
    said = capfd.readouterr().err
    assert "sampler.alpha=0.5" in said and "OSError: the disk is full" in said and str(folder / "alpha-0.5") in said
    assert "error: `sampler.alpha` must be in [0, 1], got 2.0" in said and "failed jobs: 2" in said
    assert len(attempts(folder / "alpha-0")) == 1 and read_record(folder / "alpha-0").error is None  # type: ignore[union-attr]
    before = (folder / "alpha-0" / "results.json").stat().st_mtime_ns

    (folder / "mended").touch()
    assert sweep(*command) == 1
    captured = capfd.readouterr()
    assert "failed jobs: 1" in captured.err and "disk" not in captured.err
    assert f"finished before, not run again: {folder / 'alpha-0'}" in captured.out
    assert (folder / "alpha-0" / "results.json").stat().st_mtime_ns == before
    assert [step for *_, step in attempts(folder / "alpha-0.5")] == [0, 6]  # resumed at the end of its first epoch
    assert read_record(folder / "alpha-0.5").error is None  # type: ignore[union-attr]

    assert sweep("sampler.alpha=0,0.5", *command[1:]) == 0  # jobs that are no part of the command keep their errors
    assert "failed" not in capfd.readouterr().err
    assert "`sampler.alpha` must be in [0, 1], got 2.0" in str(read_record(folder / "alpha-2").error)  # type: ignore[union-attr]


def test_a_folder_never_gets_runs_of_two_configurations(
    sweep: Sweep, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Here it holds results alone; with a checkpoint: below."""
    run = folder / "job"
    assert sweep("callbacks=progress") == 0
    stored, record = (run / "results.json").read_bytes(), read_record(run)
    for _ in range(2):  # not even when it is asked again
        assert sweep("callbacks=progress", "loss.temperature=0.1") == 1
        assert "holds a finished run of another configuration" in capfd.readouterr().err
        assert (run / "results.json").read_bytes() == stored and finished_record(run) == record


def test_a_finished_run_is_not_taken_for_one_that_was_trained_or_evaluated_otherwise(
    sweep: Sweep, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = folder / "job"
    assert sweep() == 0
    stored, record = (run / "results.json").read_bytes(), read_record(run)
    for other, message in (
        ("loss.temperature=0.1", "trained with other values"),  # of the checkpoint: no failure of the finished run
        ("eval.measures.multilingual=[ndcg@10]", "world/multilingual/ndcg@10 was not measured"),
        ("optimized_metric=world/multilingual/map/es", "world/multilingual/map/es was not measured"),
    ):
        capfd.readouterr()
        assert sweep(other) == 1
        said = capfd.readouterr().err
        assert message in said and (run / "results.json").read_bytes() == stored
        kept = finished_record(run) == record if "trained" in message else read_record(run).error in said  # type: ignore[union-attr, operator]
        assert kept
    assert sweep() == 0
    assert read_record(run).objective == record.objective  # type: ignore[union-attr]


def test_a_repeated_sweep_may_say_ckpt_path_last(sweep: Sweep, folder: Path) -> None:
    """The first job has a checkpoint; the attempt of the second came to nothing, and nothing of it stays."""
    assert sweep("sampler.alpha=0,0.5") == 0
    leftover = folder / "alpha-1" / "evaluations" / "step_000000.json"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("{}")
    assert sweep("sampler.alpha=0,1", "trainer.max_epochs=2", "ckpt_path=last", "eval.at_start=false", *PROBE) == 0
    assert [step for *_, step in attempts(folder / "alpha-0")] == [6]
    assert [step for *_, step in attempts(folder / "alpha-1")] == [0]
    assert not leftover.exists()


def test_an_objective_of_training_is_found_again(sweep: Sweep, folder: Path) -> None:
    """The job ended, and was killed before it could say so."""
    run, options = folder / "job", ["data.holdout=16", "eval.every_n_steps=4", "eval.subset.passages=100"]
    found = []
    for objective in ("validation/loss", "world_subset/multilingual/map"):
        command = [f"optimized_metric={objective}", *options]
        assert sweep(*command) == 0
        before = read_record(run)
        assert before is not None and before.objective is not None
        found.append(before.objective)
        (run / "job.json").unlink()
        assert sweep(*command) == 0
        assert read_record(run) == before
    assert len(set(found)) == 2
    for name in ("job.json", "training.json"):
        (run / name).unlink()
    assert sweep(*command) == 1


def test_jobs_in_parallel_processes_share_the_cores_and_keep_quiet(
    sweep: Sweep, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # it would hold the jobs to one thread by itself
    parallel = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *PROBE, "+callbacks.probe.failing=1"]
    assert sweep("sampler.alpha=0,1", "trainer.max_epochs=2", "eval.every_n_epochs=2", *parallel) == 1
    said = "".join(capfd.readouterr())
    assert "the disk is full" in said
    assert "could not find the monitored key" not in said and "`weights_only` was not set" not in said
    (first,), (second,) = (attempts(folder / f"alpha-{alpha}") for alpha in (0, 1))
    assert len({first[0], second[0], os.getpid()}) == 3
    assert first[1] == second[1] == max(1, joblib.cpu_count() // 2)
    assert read_record(folder / "alpha-0").error is None and "disk" in read_record(folder / "alpha-1").error  # type: ignore[union-attr, operator]


def test_optuna_gets_the_objective_repeats_its_trials_and_outlives_a_failed_one(
    sweep: Sweep, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    search = ["sweep=optuna", "hydra.sweeper.n_trials=4", f"optimized_metric={OBJECTIVE}", "trainer.max_epochs=2"]
    search += ["sampler.alpha=choice(0,1)", *PROBE, "+callbacks.probe.failing=1"]
    assert sweep(*search) == 1
    records = {run: read_record(run) for run in folder.iterdir() if run.is_dir()}
    finished = {run: record for run, record in records.items() if record is not None and record.error is None}
    assert len(records) == 4 and 0 < len(finished) < 4
    best = yaml.safe_load((folder / "optimization_results.yaml").read_text())
    assert best["best_params"].keys() == {"sampler.alpha", "loss.temperature", "optim.learning_rate"}
    values = [read_results(run / "results.json").metrics[OBJECTIVE] for run in finished]
    assert [record.objective for record in finished.values()] == values and best["best_value"] == max(values)
    capfd.readouterr()
    assert sweep(*search) == 1
    assert capfd.readouterr().out.count("finished before") == len(finished)
    assert yaml.safe_load((folder / "optimization_results.yaml").read_text()) == best


def test_jobs_of_submitit_are_the_same_jobs(sweep: Sweep, folder: Path) -> None:
    assert sweep("hydra/launcher=submitit_local") == 0
    record = read_record(folder / "job")
    assert record is not None and record.error is None
    provenance = read_results(folder / "job" / "results.json").provenance
    assert provenance["command"] == ["train.py", *record.overrides]
