"""A job of submitit: its SIGTERM is not a wish to stop."""

import signal
from pathlib import Path

import pytest
from submitit.core.job_environment import SignalHandler

from hybrid_ir.training.callbacks import stop_signals
from tests.training.conftest import Configure, Run
from tests.training.probes import At, Recorder, content, kill


def test_sigterm_stays_submitits(
    configure: Configure, tmp_path: Path, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """It requeues the job at another signal; a job that ended at this one would not come back."""
    handler = SignalHandler(None, None, None)  # type: ignore[arg-type]
    before = signal.signal(signal.SIGTERM, handler.bypass)
    request.addfinalizer(lambda: signal.signal(signal.SIGTERM, before))
    recorder = Recorder()
    options = ("sampler=hybrid", "trainer.max_epochs=2", "eval=[]")
    Run(configure(*options), recorder, At("on_train_batch_start", 3, kill(signal.SIGTERM))).fit()
    assert len(recorder.batches) == 12 and content(tmp_path / "run")["global_step"] == 12
    assert stop_signals.asked() is None
    assert signal.getsignal(signal.SIGTERM) == handler.bypass
