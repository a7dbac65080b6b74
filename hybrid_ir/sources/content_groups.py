"""What belongs together, directly or over others."""

from collections.abc import Sequence

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


def identical_text_groups(size: int, digests: Sequence[NDArray[np.uint64]]) -> Indices:
    """Rows whose text is identical in any one language, or that are linked by a chain of such rows, form a group.

    Args:
        size: number of rows N.
        digests: for each language uint64 (N,), a digest of every row's text, 0 where the row has no text.

    Returns:
        int64 (N,): the first row of each row's group.
    """
    left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for digest in digests:
        present = np.flatnonzero(digest)
        order = present[np.argsort(digest[present], kind="stable")]
        same = digest[order[1:]] == digest[order[:-1]]
        left.append(order[:-1][same])
        right.append(order[1:][same])
    return connected_components(size, np.concatenate(left), np.concatenate(right))


def held_out_rows(question_groups: Indices, passage_groups: Indices, count: int, seed: int) -> NDArray[np.bool_]:
    """Choose at most `count` examples such that no chosen one shares a group with one that is not chosen.

    Whole components (examples linked by shared question or passage groups) are drawn in random order, and one that no
    longer fits is passed over. The result holds exactly `count` examples wherever enough small components are left.

    Args:
        question_groups: int64 (N,), group of each example's question.
        passage_groups: int64 (N,), group of each example's passage.
        count: examples wanted.
        seed: decides the draw; the same seed gives the same choice.

    Returns:
        bool (N,): True where the example is held out.
    """
    _, questions = np.unique(question_groups, return_inverse=True)
    _, passages = np.unique(passage_groups, return_inverse=True)
    nodes = questions.max(initial=-1) + 1
    root = connected_components(nodes + passages.max(initial=-1) + 1, questions, nodes + passages)
    _, component, sizes = np.unique(root[questions], return_inverse=True, return_counts=True)
    chosen = np.zeros(len(sizes), dtype=bool)
    left = count
    for number in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[number] <= left:
            chosen[number] = True
            left -= sizes[number]
        if left == 0:
            break
    return chosen[component]
