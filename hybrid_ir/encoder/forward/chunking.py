"""Cutting a batch of texts into forwards: of similar length, so that computation goes into tokens and not into padding.

Every forward pads its texts to the longest of them, and every forward costs something whatever its size. The cheapest
cut weighs the one against the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Device:
    """What decides the size of a forward on a kind of device; tokens are the unit of cost.

    Attributes:
        max_tokens: tokens of one forward, padding included.
        overhead: cost of a forward without texts, in tokens.
    """

    max_tokens: int
    overhead: int


CPU = Device(max_tokens=2048, overhead=48)  # activations stay in the cache; see benchmarks/training.md
GPU = Device(max_tokens=32_768, overhead=4096)  # an estimate: too little work leaves a device waiting for launches


def cut(lengths: Sequence[int], max_tokens: int, overhead: int) -> list[list[int]]:
    """Cut texts into forwards so that padded tokens and overheads add up to the least there can be.

    A shortest path over the texts in order of length: N ends, for each the starts that the bound leaves.

    Args:
        lengths: tokens of each text.
        max_tokens: padded tokens of one forward at most; a longer text gets a forward of its own.
        overhead: cost of one forward, in tokens.

    Returns:
        Rows of each forward. Longest texts first, so that memory peaks at once if it is to overflow; texts of equal
        length keep their order. A function of its arguments alone.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    longest = np.asarray(lengths, dtype=np.int64)[order]  # a forward is as wide as its first text
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
