"""Freed memory goes back to the system."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_ir.training.heap import return_large_blocks

HELD = """
import sys
from pathlib import Path
import torch
from hybrid_ir.training.heap import return_large_blocks

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

if sys.argv[1] == "returned" and not return_large_blocks():
    sys.exit("no glibc")
torch.ones(2**22)  # freed at once: from here on glibc by itself keeps blocks of up to 16 MiB
before = resident()
tensors = [torch.ones(2**19) for _ in range(40)]  # 2 MiB each
last = tensors.pop()
del tensors
print((resident() - before) / 2**20)
"""


def held(how: str) -> float:
    """MiB that a process keeps of 40 tensors of 2 MiB, all but the last one freed."""
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_MMAP_THRESHOLD_"}
    command = [sys.executable, "-c", HELD, how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    if done.stderr.strip() == "no glibc":
        pytest.skip("glibc's allocator alone can be told to return memory")
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from Linux' /proc")
def test_large_tensors_freed_below_one_that_is_held_are_returned() -> None:
    assert held("returned") < 8
    assert held("kept") > 60


def test_a_limit_set_by_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    assert not return_large_blocks.__wrapped__()
