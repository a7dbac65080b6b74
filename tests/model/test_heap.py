"""Freed memory goes back to the system."""

from pathlib import Path

import pytest
import torch

from hybrid_ir.model import heap


def resident() -> int:
    """Bytes of this process' own memory that are in RAM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


@pytest.mark.skipif(heap._malloc_trim() is None, reason="glibc's allocator alone can be told to return memory")
def test_what_was_freed_below_something_held_is_returned() -> None:
    count, numbers = 1000, 25_000  # 100 kB each: too small for glibc to map them one by one
    tensors = [torch.ones(numbers) for _ in range(count)]
    held = tensors[::100]
    del tensors
    before = resident()
    heap.trim()
    assert before - resident() > 0.5 * count * numbers * 4
    assert all(tensor.sum() == numbers for tensor in held)


@pytest.mark.parametrize(("items", "trims"), [(0, 0), (4, 0), (5, 1), (9, 2)])
def test_a_trim_comes_between_every_few_items(monkeypatch: pytest.MonkeyPatch, items: int, trims: int) -> None:
    done: list[int] = []
    monkeypatch.setattr(heap, "trim", lambda: done.append(1))
    assert list(heap.trimmed(range(items), every=4)) == list(range(items))
    assert len(done) == trims
