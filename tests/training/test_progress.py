"""What a run says of its progress, and the rates that it logs."""

import re

import pytest

from hybrid_ir.training.callbacks.display import Standing
from hybrid_ir.training.callbacks.progress import PAIRS, RATES, TOKENS, WAITING, Throughput, TrainingProgress
from tests.training.conftest import Configure, Run


class Notes:
    """A display that writes down what it is told, always due."""

    def __init__(self) -> None:
        self.told: list[Standing | str] = []

    def due(self) -> bool:
        return True

    def show(self, standing: Standing) -> None:
        self.told.append(standing)

    def evaluating(self, benchmark: str, step: int) -> None:
        self.told.append(f"{benchmark} at {step}")

    def clear(self) -> None:
        self.told.append("clear")


def run_with_notes(configure: Configure, *overrides: str) -> Notes:
    notes = Notes()
    Run(configure("~callbacks.progress", *overrides), TrainingProgress(display=notes)).fit()
    return notes


def test_progress_follows_training_and_evaluation(configure: Configure) -> None:
    notes = run_with_notes(configure, "sampler=cross")
    shown = [entry for entry in notes.told if isinstance(entry, Standing)]
    assert [entry for entry in notes.told if isinstance(entry, str)] == [
        "world at 0", "clear", "world at 6", "clear", "world at 12", "clear", "clear"
    ]  # fmt: skip
    assert [(entry.epoch, entry.step) for entry in shown] == [((step - 1) // 6 + 1, step) for step in range(2, 13)]
    assert {(entry.epochs, entry.steps, entry.kind) for entry in shown} == {(2, 12, "crosslingual")}
    assert all(entry.loss > 0 and entry.pairs_per_second > 0 for entry in shown)
    assert [entry.seconds_left > 0 for entry in shown] == [True] * 10 + [False]


def test_a_log_file_gets_plain_lines(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    Run(configure()).fit()
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\r" not in out
    lines = out.splitlines()
    progress = [line for line in lines if line.startswith("epoch ")]
    pattern = r"epoch \d/2  step \d+/12  loss \d+\.\d{3}  (mono|cross)lingual  \d+ pairs/s  \d:\d\d:\d\d left"
    assert progress and all(re.fullmatch(pattern, line) for line in progress)
    assert "step 12/12" in progress[-1]
    assert "step 0: evaluating on world" in lines
    assert any(line.startswith("zero-shot at step 12 (epoch 2), with the change since step 0") for line in lines)


def test_validation_is_announced_and_rates_are_logged_though_nothing_is_shown(configure: Configure) -> None:
    assert "validation batches at 4" in run_with_notes(configure, "data.holdout=10", "trainer.max_epochs=1").told
    run = Run(configure("trainer.max_epochs=1", "eval=[]", run="silent"))
    run.trainer.progress_bar_callback.disable()
    metrics = run.fit().trainer.callback_metrics
    assert set(RATES) <= metrics.keys()
    assert metrics[TOKENS] > metrics[PAIRS] > 0 <= metrics[WAITING] <= 1


def test_rates_by_hand() -> None:
    now = iter([0.0, 1.0, 4.0, 100.0, 100.5, 102.0])
    meter = Throughput(smoothing=2, clock=lambda: next(now))
    meter.batch_started()
    meter.batch_ended(8, 80)
    assert meter.rates == {} and meter.seconds_per_batch is None
    meter.batch_started()  # waited from 0 to 1
    meter.batch_ended(8, 120)  # at 4
    assert meter.rates == {PAIRS: 2.0, TOKENS: 30.0, WAITING: 0.25}
    meter.pause()
    meter.batch_started()
    meter.batch_ended(8, 80)  # at 100: an evaluation came between
    meter.batch_started()  # at 100.5
    meter.batch_ended(8, 80)  # at 102
    assert meter.seconds_per_batch == 3.0
    assert meter.rates == {PAIRS: 8 / 3, TOKENS: 100 / 3, WAITING: 0.25}
