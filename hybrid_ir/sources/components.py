"""What belongs together, directly or over others: connected components, found with numpy, for millions of nodes."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def connected_components(size: int, left: Indices, right: Indices) -> Indices:
    """Connected components of the graph with nodes 0..size-1 and edges (left[i], right[i]).

    Method: every root is hooked to the smallest neighbouring root, then paths are compressed; a round leaves at most
    half of the roots that still have a neighbour, so that there are O(log size) rounds.

    Returns:
        int64 (size,): the smallest node of each node's component.
    """
    root = np.arange(size, dtype=np.int64)
    while True:
        low, high = np.minimum(root[left], root[right]), np.maximum(root[left], root[right])
        open_edges = low < high
        if not open_edges.any():
            return root
        np.minimum.at(root, high[open_edges], low[open_edges])
        while not np.array_equal(grand := root[root], root):
            root = grand
