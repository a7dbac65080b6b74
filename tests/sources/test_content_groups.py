"""Content groups: connected components against a naive search."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.sources.content_groups import connected_components, identical_text_groups


def naive_components(size: int, edges: list[tuple[int, int]]) -> list[int]:
    """The smallest node that can be reached from each node."""
    smallest = list(range(size))
    for _ in range(size):
        for left, right in edges:
            smallest[left] = smallest[right] = min(smallest[left], smallest[right])
    return smallest


@given(data=st.data(), size=st.integers(1, 25))
def test_components_are_those_of_a_naive_search(data: st.DataObject, size: int) -> None:
    node = st.integers(0, size - 1)
    edges = data.draw(st.lists(st.tuples(node, node), max_size=30))
    left, right = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    assert connected_components(size, left, right).tolist() == naive_components(size, edges)


def test_rows_without_a_text_are_not_linked_by_its_absence() -> None:
    english, german = np.array([5, 0, 5, 0], dtype=np.uint64), np.array([0, 7, 0, 8], dtype=np.uint64)
    assert identical_text_groups(4, [english, german]).tolist() == [0, 1, 0, 3]
    assert identical_text_groups(3, []).tolist() == [0, 1, 2]
