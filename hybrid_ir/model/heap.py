"""Freed memory goes back to the system: on a CPU, many forwards of many sizes leave holes that none of them fits."""

import ctypes
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

Item = TypeVar("Item")

PASSES = 16  # one trim costs about a fifth of a forward and backward pass: its memory is faulted in again


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def trim() -> None:
    """Return the free pages of the heap to the system, with glibc; other allocators are left to themselves."""
    found = _malloc_trim()
    if found is not None:
        found(0)


def trimmed(items: Iterable[Item], every: int = PASSES) -> Iterator[Item]:
    """The items, with a trim after every so many of them.

    For loops whose bodies allocate and free: without it the heap grows by some MiB an item, though nothing more is
    held, because tensors of slightly other sizes do not fit into the holes of those before.
    """
    for number, item in enumerate(items):
        if number and number % every == 0:
            trim()
        yield item
