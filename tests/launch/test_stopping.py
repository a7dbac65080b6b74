"""A sweep that is told to stop when its job can no longer be."""

import os
import signal
from pathlib import Path
from typing import Any

import lightning as L
import pytest

from hybrid_ir.launch.job_record import read_record
from tests.launch.conftest import Sweep


class LateSignal(L.Callback):
    """Told to stop when the last step is over, once for all jobs of a sweep."""

    def __init__(self, folder: str, number: int) -> None:
        self.told, self.number = Path(folder).parent / "told", number

    def on_train_epoch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.current_epoch + 1 == trainer.max_epochs and not self.told.exists():
            self.told.touch()
            os.kill(os.getpid(), self.number)


LATE = ["+callbacks.late._target_=tests.launch.test_stopping.LateSignal", "+callbacks.late.folder=${paths.run}"]


def test_signal_in_the_last_evaluation_of_a_job_ends_the_sweep(
    sweep: Sweep, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "outputs" / "sweeps" / "demo"
    command = ["sampler.alpha=0,1", *LATE, f"+callbacks.late.number={int(signal.SIGINT)}"]
    assert sweep(*command) == 128 + signal.SIGINT
    first = read_record(folder / "alpha-0")
    assert first is not None and first.error is None
    assert read_record(folder / "alpha-1") is None
    capfd.readouterr()
    assert sweep(*command) == 0
    assert f"finished before, not run again: {folder / 'alpha-0'}" in capfd.readouterr().out
    assert read_record(folder / "alpha-1") is not None
