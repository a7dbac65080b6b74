"""A run whose losses and results are known: a change of the project that moves them is meant, or a fault."""

from pathlib import Path

import pytest

from tests.training import golden


def test_losses_and_results_are_those_of_the_golden_run(tmp_path: Path) -> None:
    """Batches are the same ones everywhere. Sums round otherwise on other processors, and training carries that on."""
    found, stored = golden.run(tmp_path), golden.stored()
    assert found.plan == stored.plan, "other batches: sampling, its seed or the built-in facts have changed"
    message = "a result has changed; where that is meant: python -m tests.training.golden"
    assert found.losses == pytest.approx(stored.losses, rel=golden.LOSS_TOLERANCE), message
    assert found.metrics.keys() == stored.metrics.keys(), message
    for name, value in stored.metrics.items():
        assert found.metrics[name] == pytest.approx(value, rel=golden.METRIC_TOLERANCE), f"{name}: {message}"
