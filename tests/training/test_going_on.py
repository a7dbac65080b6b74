"""Where a run goes on, and under what: the newest whole checkpoint, a longer schedule, changed values."""

import signal
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from hybrid_ir.launch.resuming import newest_checkpoint, resume_point
from hybrid_ir.training.callbacks.stop_signals import StoppedBySignalError
from tests.training.conftest import Configure, Run
from tests.training.test_fit import Recorder
from tests.training.test_interruption import OPTIONS, At, content, kill, resume


@pytest.mark.parametrize(
    ("short", "long", "steps"), [("max_epochs=1", "max_epochs=3", 6), ("max_steps=9", "max_steps=16", 9)]
)
def test_longer_run_follows_the_longer_schedule(
    configure: Configure, tmp_path: Path, short: str, long: str, steps: int
) -> None:
    class Rates(L.Callback):
        def __init__(self) -> None:
            self.rates: list[float] = []

        def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
            self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    options = ("trainer.max_epochs=9", "eval=[]")
    whole, rest, batches, others = Rates(), Rates(), Recorder(), Recorder()
    Run(configure(*options, f"trainer.{long}", run="whole"), whole, batches).fit()
    Run(configure(*options, f"trainer.{short}", run="cut")).fit()
    resume(configure, *options, f"trainer.{long}", run="cut", callbacks=(rest, others))
    assert rest.rates == whole.rates[steps:]
    assert [entry[1:5] for entry in others.batches] == [entry[1:5] for entry in batches.batches[steps:]]


def test_changes_on_request_take_the_new_plan_from_the_position_on(configure: Configure, tmp_path: Path) -> None:
    changed = ("seed=2", "sampler.alpha=1", "optim.learning_rate=1e-4", "optim.weight_decay=0.5")
    with pytest.raises(StoppedBySignalError):
        Run(configure(*OPTIONS), At("on_train_batch_start", 7, kill(signal.SIGTERM))).fit()
    with pytest.raises(ValueError, match=r"optim.weight_decay=0.5 .was 0.01., sampler.alpha=1.0 .was 0.5., seed=2"):
        resume(configure, *OPTIONS, *changed, "resume_changes=[optim.learning_rate]", run="run")
    rest = Recorder()
    run = resume(configure, *OPTIONS, *changed, "resume_changes=[seed,sampler,optim]", run="run", callbacks=(rest,))
    plan, corpus = run.datamodule.plan, run.datamodule.training[0]
    planned = [plan.epoch(1)[step] for step in range(2, 6)] + [plan.epoch(2)[step] for step in range(6)]
    assert [entry[2] for entry in rest.batches] == [tuple(corpus.example_ids(batch.examples)) for batch in planned]
    assert {entry[1] for entry in rest.batches} == {"monolingual"}
    matrices, others = run.trainer.optimizers[0].param_groups
    assert (matrices["initial_lr"], matrices["weight_decay"], others["weight_decay"]) == (1e-4, 0.5, 0.0)


@pytest.mark.parametrize("damage", ["flipped bit", "cut off", "empty"])
def test_damaged_newest_checkpoint_gives_way_to_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for step, name in ((6, "previous.ckpt"), (12, "last.ckpt")):
        torch.save({"global_step": step, "weights": torch.arange(1000.0)}, folder / name)
    assert newest_checkpoint(tmp_path) == folder / "last.ckpt"
    for name, expected in (("last.ckpt", folder / "previous.ckpt"), ("previous.ckpt", None)):
        whole = (folder / name).read_bytes()
        place = len(whole) // 2
        flipped = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        (folder / name).write_bytes({"flipped bit": flipped, "cut off": whole[:place], "empty": b""}[damage])
        if expected is None:
            with pytest.raises(ValueError, match=r"no checkpoint of .* is intact: .*damaged"):
                newest_checkpoint(tmp_path)
        else:
            assert newest_checkpoint(tmp_path) == expected
            assert "last.ckpt is damaged" in caplog.text and "after 6 steps" in caplog.text


def test_requeued_job_goes_on_unasked_from_the_newest(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run(configure("trainer.max_epochs=1")).fit()
    cfg = configure("trainer.max_epochs=2")
    with pytest.raises(ValueError, match=r"run holds the checkpoints of another run; .*ckpt_path=last, .*name="):
        resume_point(cfg)  # a second run of one job is not a job started anew
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    point = resume_point(cfg)
    assert point is not None and point.finished is None
    assert point.path == tmp_path / "run" / "checkpoints" / "last.ckpt"
    newer = content(tmp_path / "run") | {"global_step": 7}
    torch.save(newer, tmp_path / "run" / "hpc_ckpt_1.ckpt")  # Lightning's, at a requeue signal
    assert getattr(resume_point(cfg), "path", None) == tmp_path / "run" / "hpc_ckpt_1.ckpt"
    assert resume_point(configure("trainer.max_epochs=2", run="other")) is None


def test_finished_runs_are_known(configure: Configure) -> None:
    Run(configure("trainer.max_epochs=3", "callbacks=early_stopping", "optim.learning_rate=1e-12",
                  "callbacks.early_stopping.patience=1")).fit()  # fmt: skip
    for ending, reason in (
        (["trainer.max_epochs=2"], "2 of 2 epochs are done (12 steps)"),
        (["trainer.max_steps=12"], "12 of 12 steps are done"),
        (["callbacks=early_stopping", "trainer.max_epochs=9"], "stopped early, after 12 steps"),
        (["trainer.max_epochs=9"], None),
    ):
        point = resume_point(configure("optim.learning_rate=1e-12", *ending, "ckpt_path=last"))
        assert point is not None
        assert point.finished is None if reason is None else reason in str(point.finished)
