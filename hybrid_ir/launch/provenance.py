"""Provenance of results: code, libraries, machine and command."""

import hashlib
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig

from hybrid_ir import __version__
from hybrid_ir.config.processes import is_sweep
from hybrid_ir.config.secrets import redacted

LIBRARIES = ("torch", "lightning", "transformers", "tokenizers", "datasets", "torchmetrics", "hydra-core", "Babel")


def provenance() -> dict[str, Any]:
    """Everything needed to assess and repeat a measurement, as plain containers."""
    return {
        "command": _command(),
        "hybrid_ir": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name)) is not None},
        "machine": {
            "platform": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
    }


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _command() -> list[str]:
    """Program and arguments, without secrets; in a sweep, only those of this job."""
    if is_sweep():
        hydra = HydraConfig.get()
        words = [f"{hydra.job.name}.py", *hydra.overrides.task]
    else:
        words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    return [redacted(word) for word in words]


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the code, with `+` if files differ from it; None outside a git checkout."""

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
