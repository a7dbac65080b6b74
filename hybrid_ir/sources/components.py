"""What belongs together, directly or over others."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Indices = NDArray[np.int64]


def connected_components(size: int, left: Indices, right: Indices) -> Indices:
    """Connected components of the graph with nodes 0..size-1 and edges (left[i], right[i]).

    Returns:
        int64 (size,): the smallest node of each node's component.
    """
    links = sparse.coo_array((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(size, size))
    component = sparse.csgraph.connected_components(links, directed=False)[1]
    smallest: Indices = np.unique(component, return_index=True)[1][component]
    return smallest
