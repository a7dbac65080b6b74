"""Chunks of texts of similar length, so that padded forward passes spend little time on padding.

A pass pads its texts to the longest one, and every pass has a fixed cost. `cut` minimises the sum of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Device:
    """Costs of a forward pass on a kind of device, in tokens.

    Attributes:
        max_tokens: the largest number of tokens of one pass, padding included.
        overhead: the cost of one more pass.
    """

    max_tokens: int
    overhead: int


CPU = Device(max_tokens=2048, overhead=48)  # activations fit the CPU's cache; see benchmarks/training.md
GPU = Device(max_tokens=32_768, overhead=4096)  # an estimate: with too little work, a GPU waits for kernel launches


def cut(lengths: Sequence[int], max_tokens: int, overhead: int) -> list[list[int]]:
    """The chunks with the smallest sum of padded tokens and overheads.

    It is a shortest path over the texts sorted by length: for each end of a chunk, the best start within the limit.

    Args:
        lengths: tokens of each text.
        max_tokens: the largest number of padded tokens of one chunk; a longer text gets a chunk of its own.
        overhead: cost of one chunk, in tokens.

    Returns:
        The indices of the texts of each chunk. The longest texts come first, so that running out of memory shows at
        once; texts of equal length keep their order. The result depends only on the arguments.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    longest = np.asarray(lengths, dtype=np.int64)[order]  # a chunk is as wide as its first text
    best = np.zeros(len(order) + 1, dtype=np.int64)
    start = np.zeros(len(order) + 1, dtype=np.int64)
    for end in range(1, len(order) + 1):
        first = max(0, end - max(1, max_tokens // int(longest[end - 1])))
        widths = longest[first:end]
        padded = np.arange(end - first, 0, -1) * widths
        fits = padded <= max_tokens
        fits[-1] = True
        costs = np.where(fits, best[first:end] + padded + overhead, np.iinfo(np.int64).max)
        start[end] = first + int(np.argmin(costs))
        best[end] = costs[start[end] - first]

    chunks: list[list[int]] = []
    end = len(order)
    while end:
        chunks.append(order[start[end] : end].tolist())
        end = int(start[end])
    return chunks[::-1]
