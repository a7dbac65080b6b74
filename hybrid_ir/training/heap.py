"""Large tensors go back to the system as soon as they are freed: on a CPU, many forwards of many sizes leave holes that
none of them fits."""

import ctypes
import os
import sys
from functools import cache

LARGE = 2**20  # bytes; a hidden state of a chunk has several MiB, a gradient of a bias some KiB
M_MMAP_THRESHOLD = -3  # of malloc.h


@cache
def return_large_blocks() -> bool:
    """Have glibc map every allocation of 1 MiB and more by itself, for the rest of this process.

    By default glibc raises that limit to the largest block freed so far, 32 MiB at most, and keeps what is smaller in
    a heap for the next tensor. That is faster, but tensors of slightly other sizes do not fit into the holes of those
    before, and a loop over chunks takes more and more memory though it holds no more.

    Returns:
        Whether the process does so now: not with another allocator, nor where `MALLOC_MMAP_THRESHOLD_` is set,
        which stands for a choice of the user's.
    """
    if sys.platform != "linux" or "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(M_MMAP_THRESHOLD, LARGE) == 1
