"""Runs `train.py` and `evaluate.py` as programs inside this process, which saves the seconds that a start takes."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig

REPOSITORY = Path(__file__).resolve().parents[1]
Command = Callable[..., int]


def run_command(monkeypatch: pytest.MonkeyPatch, program: str, *arguments: str) -> int:
    """The exit status of `python program arguments...`; what it prints goes where pytest catches it."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [program, *arguments])
        patch.chdir(REPOSITORY)
        patch.setattr(HydraConfig.instance(), "cfg", None)  # as in a new process
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0
