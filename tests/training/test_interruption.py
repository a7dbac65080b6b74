"""A run that is killed, told to stop, or out of disk loses nothing but the work since its last checkpoint."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch.multiprocessing.spawn import ProcessExitedException

from hybrid_ir.training.callbacks.last_checkpoint import LastCheckpoint
from hybrid_ir.training.callbacks.stop_signals import StoppedBySignalError
from tests.training.conftest import Configure, Run, tiny_runs
from tests.training.probes import At, Recorder, assert_same_end, content, kill, resume

OPTIONS = ("sampler=hybrid", "trainer.max_epochs=3", "model.dropout=0.1", "eval.at_start=false")


LEARNED = ("loss.learn_temperature=true", "loss.min_temperature=0.0499", "optim.learning_rate=1e-2", "logger=csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder]:
    """An uninterrupted run, and its batches."""
    folder, recorder = tmp_path_factory.mktemp("whole"), Recorder()
    Run(tiny_runs(folder)(*OPTIONS, *LEARNED), recorder).fit()
    return folder / "run", recorder


@pytest.mark.parametrize(
    ("hook", "told_after", "saved_at", "number"),
    [
        ("on_train_batch_start", 7, 8, signal.SIGTERM),
        ("on_after_backward", 5, 6, signal.SIGTERM),  # in the last step of an epoch: after its evaluation
        ("on_train_epoch_end", 6, 6, signal.SIGINT),
    ],
)
def test_a_run_told_to_stop_saves_and_goes_on_exactly(
    configure: Configure, tmp_path: Path, whole: tuple[Path, Recorder], hook: str, told_after: int, saved_at: int,
    number: signal.Signals, capfd: Any,
) -> None:  # fmt: skip
    options, cut, rest = (*OPTIONS, *LEARNED), Recorder(), Recorder()
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(StoppedBySignalError) as stopped:
        Run(configure(*options, run="cut"), cut, At(hook, told_after, kill(number))).fit()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers
    assert stopped.value.code == 128 + number
    said = capfd.readouterr().err
    assert f"stopped by {number.name} after step {saved_at}, which is saved to" in said and "ckpt_path=last" in said
    assert content(tmp_path / "cut")["global_step"] == saved_at
    rows = (tmp_path / "cut" / "csv" / "version_0" / "metrics.csv").read_text().splitlines()
    header = rows[0].split(",")
    steps = [row.split(",")[header.index("step")] for row in rows[1:] if row.split(",")[header.index("train/loss")]]
    assert steps == [str(step) for step in range(saved_at)]

    resume(configure, *options, run="cut", callbacks=(rest,))
    assert [entry[1:] for entry in cut.batches + rest.batches] == [entry[1:] for entry in whole[1].batches]
    assert_same_end(tmp_path / "cut", whole[0])
    assert {path.name for path in (tmp_path / "cut" / "evaluations").iterdir()} == {
        f"step_{step:06d}.json" for step in (6, 12, 18)
    }


def test_accumulated_gradients_are_not_cut_in_half(configure: Configure, tmp_path: Path) -> None:
    options = (*OPTIONS, "trainer.accumulate_grad_batches=2", "callbacks.last.every_n_minutes=1e-9")
    whole, cut, rest = Recorder(), Recorder(), Recorder()
    Run(configure(*options, run="whole"), whole).fit()
    with pytest.raises(StoppedBySignalError):
        Run(configure(*options, run="cut"), cut, At("on_train_batch_end", 4, kill(signal.SIGTERM))).fit()
    resume(configure, *options, run="cut", callbacks=(rest,))
    assert cut.batches + rest.batches == whole.batches
    assert_same_end(tmp_path / "cut", tmp_path / "whole")


def test_second_interrupt_stops_at_once(configure: Configure, tmp_path: Path) -> None:
    twice = [At("on_after_backward", 7, kill(signal.SIGINT)), At("on_before_zero_grad", 7, kill(signal.SIGINT))]
    with pytest.raises(SystemExit) as stopped:  # Lightning's answer to KeyboardInterrupt
        Run(configure(*OPTIONS), *twice).fit()
    assert stopped.value.code == 1
    assert content(tmp_path / "run")["global_step"] == 6


def test_signal_before_the_first_step_ends_the_run(configure: Configure, tmp_path: Path) -> None:
    run = Run(configure("trainer.max_epochs=1", "eval=[]"))
    run.trainer.callbacks.insert(0, At("on_train_start", 0, kill(signal.SIGTERM)))
    with pytest.raises(StoppedBySignalError) as stopped:
        run.fit()
    assert stopped.value.code == 143
    assert not (tmp_path / "run" / "checkpoints").exists()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to let a file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room_again", [False, True])
def test_training_outlives_a_full_disk_and_says_so_at_its_end(
    configure: Configure, tmp_path: Path, caplog: pytest.LogCaptureFixture, room_again: bool
) -> None:
    def limit(size: int, step: int) -> At:
        return At("on_train_batch_start", step, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1)))

    recorder, limits = Recorder(), [limit(60_000, 8), *([limit(-1, 14)] if room_again else [])]
    failed = pytest.raises(RuntimeError, match=r"ended at step 18, .* not be written .*File too large")
    with largest_file(-1), nullcontext() if room_again else failed:
        Run(configure(*OPTIONS), recorder, *limits).fit()
    assert len(recorder.batches) == 18
    assert "last.ckpt could NOT be written (File too large); its content from before is kept" in caplog.text
    assert content(tmp_path / "run")["global_step"] == (18 if room_again else 6)
    assert not list((tmp_path / "run" / "checkpoints").glob(".*"))


def test_every_process_stops_when_one_is_told_and_another_number_may_go_on(
    configure: Configure, tmp_path: Path
) -> None:
    """Without dropout, N and M processes differ by rounding alone."""
    options = ("sampler=hybrid", "trainer.max_epochs=2", "eval.at_start=false")
    forked = ("trainer=ddp_cpu", "trainer.strategy._target_=lightning.pytorch.strategies.DDPStrategy",
              "+trainer.strategy.start_method=fork")  # fmt: skip
    Run(configure(*options, run="whole")).fit()

    class TellSecond(L.Callback):
        def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_rank == 1 and trainer.global_step == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.raises(ProcessExitedException, match="exit code 143"):
        Run(configure(*options, *forked, run="cut"), TellSecond()).fit()
    torch.set_num_threads(threads)
    assert content(tmp_path / "cut")["global_step"] == 4
    with pytest.raises(ValueError, match=r"written by 2 processes, and this run has 1.*resume_changes=\[world_size\]"):
        resume(configure, *options, run="cut")
    resume(configure, *options, "resume_changes=[world_size]", run="cut")
    ours, theirs = (content(tmp_path / run)["state_dict"] for run in ("cut", "whole"))
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-6)


def test_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"callbacks.last.every_n_minutes is 0; it must be positive"):
        LastCheckpoint("x", every_n_minutes=0)
