"""Sweeps of tiny runs, in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import run_command
from tests.training.conftest import tiny_data

Sweep = Callable[..., int]


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """`sweep("sampler.alpha=0,1")` runs it on made-up data and returns the exit status; runs are in `outputs`."""
    free = ("trainer.max_epochs", "optim.")
    folders = [f"paths.cache={tmp_path / 'cache'}", f"paths.outputs={tmp_path / 'outputs'}"]
    fixed = [override for override in tiny_data(tmp_path) if not override.startswith(free)]
    fixed += [*folders, "name=demo", "trainer.max_epochs=1"]

    def run(*overrides: str) -> int:
        keys = {override.split("=")[0] for override in overrides}
        kept = [override for override in fixed if override.split("=")[0] not in keys]
        return run_command(monkeypatch, "train.py", "-m", *kept, *overrides)

    return run
