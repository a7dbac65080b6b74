"""Sweeps of tiny runs, in this process."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import run_command
from tests.training.conftest import TINY
from tests.worlds import write_corpus, write_lareqa

Sweep = Callable[..., int]


@pytest.fixture
def quiet_logging() -> Iterator[None]:
    """Hydra gives the root logger handlers of its own; take them away again."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_logging: None) -> Sweep:
    """`sweep("sampler.alpha=0,1")` runs it on made-up data and returns the exit status; runs are in `outputs`."""
    write_lareqa(tmp_path / "data" / "world")
    corpus = write_corpus(tmp_path / "corpus.jsonl")
    fixed = [
        *(override for override in TINY if not override.startswith(("trainer.max_epochs", "optim."))),
        f"data.corpora.parallel_jsonl.path={corpus}",
        f"paths.data={tmp_path / 'data'}",
        f"paths.cache={tmp_path / 'cache'}",
        f"paths.outputs={tmp_path / 'outputs'}",
        "name=demo",
        "trainer.max_epochs=1",
    ]

    def run(*overrides: str) -> int:
        keys = {override.split("=")[0] for override in overrides}
        kept = [override for override in fixed if override.split("=")[0] not in keys]
        return run_command(monkeypatch, "train.py", "-m", *kept, *overrides)

    return run
