"""The progress bar says what trains and how fast."""

from typing import Any

import lightning as L
import pytest

from hybrid_ir.callbacks.progress import TrainingProgress

from .conftest import Configure, Run


class Watch(L.Callback):
    """Reads the bar after every batch; added after it, so the bar is up to date."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        (bar,) = [callback for callback in trainer.callbacks if isinstance(callback, TrainingProgress)]
        self.shown.append(bar.get_metrics(trainer, pl_module))


def test_bar_shows_loss_kind_and_rate(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    watch = Watch()
    run = Run(configure("sampler=cross", "trainer.max_epochs=1"), watch).fit()
    assert len(watch.shown) == len(run.datamodule.plan)
    assert {shown["kind"] for shown in watch.shown} == {"crosslingual"}
    assert all(float(shown["loss"]) > 0 for shown in watch.shown)
    assert all(float(shown["pairs/s"]) > 0 for shown in watch.shown[1:])


def test_bar_is_off_where_nobody_watches(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    assert TrainingProgress().is_disabled
