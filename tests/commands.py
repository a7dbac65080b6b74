"""Runs programs: inside this process, which is the cheapest, or as processes of their own."""

import logging
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig

from tests.warm import python

REPOSITORY = Path(__file__).resolve().parents[1]
SECONDS = 240
Command = Callable[..., int]


def run_command(monkeypatch: pytest.MonkeyPatch, program: str, *arguments: str) -> int:
    """The exit status of `python program arguments...`; what it prints goes where pytest catches it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [program, *arguments])
        patch.chdir(REPOSITORY)
        patch.setattr(HydraConfig.instance(), "cfg", None)  # as in a new process
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as ended:
            if isinstance(ended.code, str):
                print(ended.code, file=sys.stderr)
                return 1
            return int(ended.code or 0)
        finally:
            root.handlers[:] = handlers  # Hydra gives it others
            root.setLevel(level)
    return 0


def program_environment(folder: Path) -> dict[str, str]:
    """Variables for a program of its own: nothing of other tests' processes, caches in `folder`."""
    scrubbed = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "HYDRA_FULL_ERROR")
    kept = {key: value for key, value in os.environ.items() if key not in scrubbed}
    return kept | {"OMP_NUM_THREADS": "1", "HYBRID_IR_CACHE": str(folder / "cache")}


def program(*arguments: str, folder: Path, cold: bool = False) -> tuple[list[str], dict[str, Any]]:
    """A command, and where and how to start it; `cold` with all its imports, see `tests.warm`."""
    settings = {"cwd": REPOSITORY, "env": program_environment(folder)}
    return [sys.executable if cold else python(), *arguments], settings


def run_program(*arguments: str, folder: Path, cold: bool = False) -> subprocess.CompletedProcess[str]:
    """What `python arguments...` printed, and how it ended."""
    command, settings = program(*arguments, folder=folder, cold=cold)
    return subprocess.run(command, **settings, capture_output=True, text=True, timeout=SECONDS)
