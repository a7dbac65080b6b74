"""Pseudo-random permutation that needs no memory and can be evaluated at any position."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 8


class Permutation:
    """A keyed pseudo-random permutation of `range(size)`, computed position by position.

    A shuffled index array of a corpus of 40 million examples would take hundreds of megabytes per stream, and resuming
    in its middle would have to rebuild it. This is an alternating Feistel network on Z_a x Z_b with a*b barely above
    `size` (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 5). Each round adds a keyed
    hash of one half to the other, which is invertible for any hash, so the whole is a bijection on range(a*b). A value
    outside `range(size)` is mapped again until it falls inside ("cycle walking"), which keeps it a bijection.

    Args:
        size: length of the permutation, at least 1.
        key: non-negative integers that select the permutation; different keys give unrelated permutations.
    """

    def __init__(self, size: int, key: tuple[int, ...]) -> None:
        assert size >= 1
        self.size = size
        self._left = np.uint64(int(np.ceil(np.sqrt(size))))
        self._right = np.uint64(-(-size // int(self._left)))
        self._round_keys = np.random.SeedSequence(key).generate_state(ROUNDS, dtype=np.uint64)

    def __call__(self, positions: NDArray[np.integer]) -> NDArray[np.int64]:
        """The elements at `positions`, int64 of the same shape. Distinct positions give distinct elements."""
        values = positions.astype(np.uint64)
        assert values.size == 0 or int(values.max()) < self.size
        values = self._encipher(values)
        while (outside := values >= self.size).any():
            values[outside] = self._encipher(values[outside])
        return values.astype(np.int64)

    def _encipher(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        left, right = values // self._right, values % self._right
        for index, key in enumerate(self._round_keys):
            if index % 2 == 0:
                left = (left + _mix(right ^ key) % self._left) % self._left
            else:
                right = (right + _mix(left ^ key) % self._right) % self._right
        return left * self._right + right


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): every input bit affects every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
