"""Content groups: connected components of rows that share a text, and hold-out splits that never separate a group."""

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


def identical_text_groups(size: int, fingerprints: Sequence[NDArray[np.uint64]]) -> Indices:
    """Group the rows that share a text in any language, directly or through a chain of other rows.

    Args:
        size: number of rows N.
        fingerprints: for each language uint64 (N,), a fingerprint of every row's text, 0 if the row has no text.

    Returns:
        int64 (N,): the first row of each row's group.
    """
    left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for column in fingerprints:
        present = np.flatnonzero(column)
        order = present[np.argsort(column[present], kind="stable")]
        same = column[order[1:]] == column[order[:-1]]
        left.append(order[:-1][same])
        right.append(order[1:][same])
    return connected_components(size, np.concatenate(left), np.concatenate(right))


def held_out_rows(question_groups: Indices, passage_groups: Indices, count: int, seed: int) -> NDArray[np.bool_]:
    """Choose at most `count` examples so that no chosen example shares a group with one that is not chosen.

    Components (examples linked by shared question or passage groups) are drawn in random order and kept together; one
    that no longer fits is skipped. The result has exactly `count` examples if enough small components are left.

    Args:
        question_groups: int64 (N,), group of each example's question.
        passage_groups: int64 (N,), group of each example's passage.
        count: examples wanted.
        seed: decides the draw; the same seed gives the same choice.

    Returns:
        bool (N,): whether each example is held out.
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
