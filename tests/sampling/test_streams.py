"""Orders of a stream: examples grouped by availability, and the permutation that shuffles them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling import streams
from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.permutation import Permutation
from tests.sampling.coverages import LANGUAGES


def test_grouping_of_a_large_corpus_is_the_stable_order(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 5, 1000).astype(np.uint8)
    coverage = Coverage("c", LANGUAGES, 1000, np.full((5, 2), 7, dtype=np.uint64), codes)
    monkeypatch.setattr(streams, "_CHUNK", 64)
    index = streams.PatternIndex(coverage)
    assert index.counts.tolist() == np.bincount(codes).tolist()
    assert index.examples(np.arange(1000)).tolist() == np.argsort(codes, kind="stable").tolist()


@given(size=st.integers(1, 3000), key=st.tuples(st.integers(0, 2**32), st.integers(0, 99)))
@settings(max_examples=60, deadline=None)
def test_every_position_has_its_own_element(size: int, key: tuple[int, ...]) -> None:
    order = Permutation(size, key)(np.arange(size))
    assert sorted(order) == list(range(size))


def test_positions_are_computed_alone_or_together_alike() -> None:
    order = Permutation(40_000_000, (1, 2, 3))
    positions = np.array([0, 39_999_999, 12_345_678])
    assert [int(order(positions[i : i + 1])[0]) for i in range(3)] == order(positions).tolist()
    first, second = (Permutation(1000, (0, epoch))(np.arange(1000)) for epoch in range(2))
    assert (first == second).mean() < 0.02, "keys give different orders"


def test_orders_look_uniform() -> None:
    """Where one element lands over many keys is uniform: chi-square with 9 degrees of freedom, far tail."""
    landed = np.array([Permutation(10, (key,))(np.array([3]))[0] for key in range(5000)])
    expected = 500
    assert ((np.bincount(landed, minlength=10) - expected) ** 2 / expected).sum() < 27.9  # p = 0.001
