"""Payloads, and a trained run whose checkpoint the attacks are planted in."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hybrid_ir.encoder.build import find_checkpoint
from tests.training.conftest import Configure, Run, tiny_runs

SETTINGS = ("eval.at_start=false", "optimized_metric=world/multilingual/map")


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.proof),)


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """A folder that exists once an attack has worked."""
    return tmp_path / "attacked"


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Configure, Path]:
    """How runs are configured, and the folder of one that was trained."""
    configure = tiny_runs(tmp_path_factory.mktemp("trained"))
    cfg = configure("trainer.max_epochs=1", *SETTINGS)
    Run(cfg).fit()
    return configure, Path(cfg.paths.run)


@pytest.fixture
def checkpoint(trained: tuple[Configure, Path], tmp_path: Path) -> Path:
    """The last checkpoint, alone in a copy of the run's folder."""
    run = Path(shutil.copytree(trained[1], tmp_path / "run"))
    (run / "checkpoints" / "best.ckpt").unlink()
    return find_checkpoint(run)


def changed(checkpoint: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The checkpoint, after `change` has been at its content."""
    content = torch.load(checkpoint, weights_only=True)
    change(content)
    torch.save(content, checkpoint)
    return checkpoint
