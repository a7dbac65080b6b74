import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling.permutation import Permutation


@given(size=st.integers(1, 3000), key=st.tuples(st.integers(0, 2**32), st.integers(0, 99)))
@settings(max_examples=60, deadline=None)
def test_every_position_has_its_own_element(size: int, key: tuple[int, ...]) -> None:
    order = Permutation(size, key)(np.arange(size))
    assert sorted(order) == list(range(size))


def test_positions_are_computed_alone_or_together_alike() -> None:
    order = Permutation(40_000_000, (1, 2, 3))
    positions = np.array([0, 39_999_999, 12_345_678])
    assert [int(order(positions[i : i + 1])[0]) for i in range(3)] == order(positions).tolist()


def test_orders_look_uniform() -> None:
    """Where one element lands over many keys is uniform: chi-square with 9 degrees of freedom, far tail."""
    landed = np.array([Permutation(10, (key,))(np.array([3]))[0] for key in range(5000)])
    expected = 500
    assert ((np.bincount(landed, minlength=10) - expected) ** 2 / expected).sum() < 27.9  # p = 0.001


def test_keys_give_different_orders() -> None:
    first, second = (Permutation(1000, (0, epoch))(np.arange(1000)) for epoch in range(2))
    assert (first == second).mean() < 0.02
