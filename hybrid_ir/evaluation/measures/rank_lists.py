"""Ranks and grades of relevant passages by query: what measures are computed from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
NO_CUT = 2**62


@dataclass(frozen=True)
class RankLists:
    """Ranks of the relevant passages of some queries in one pool.

    Attributes:
        offsets: int64 (Q + 1,); query q's ranks are `ranks[offsets[q]:offsets[q + 1]]`. Every query has at least one.
        ranks: int64 (R,), 1-based, ascending and distinct within a query; above `NO_CUT` for a passage not found.
        own: bool (R,), whether each passage is in the language of its query; None if languages are unknown.
        grades: int64 (R,), the grade of each passage, from 1 up; None if all are 1.
    """

    offsets: NDArray[np.int64]
    ranks: NDArray[np.int64]
    own: NDArray[np.bool_] | None = None
    grades: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        assert self.offsets[0] == 0 and self.offsets[-1] == len(self.ranks)
        assert (self.counts > 0).all(), "a query without a relevant passage has no value"
        ascending = np.diff(self.ranks) > 0
        ascending[self.offsets[1:-1] - 1] = True  # ranks need not ascend from one query to the next
        assert ascending.all() and (self.ranks > 0).all()
        assert self.own is None or len(self.own) == len(self.ranks)
        assert self.grades is None or (len(self.grades) == len(self.ranks) and (self.grades > 0).all())

    @property
    def counts(self) -> NDArray[np.int64]:
        """Relevant passages of each query: int64 (Q,)."""
        return np.diff(self.offsets)

    def sums(self, values: NDArray[np.floating] | NDArray[np.bool_]) -> Values:
        """Sum of `values` (R,) over each query: float64 (Q,)."""
        query = np.repeat(np.arange(len(self.counts)), self.counts)
        return np.bincount(query, weights=values, minlength=len(self.counts)).astype(np.float64)

    def at_level(self, level: int) -> tuple[NDArray[np.bool_], "RankLists"]:
        """The passages with at least this grade, all of grade 1.

        Returns:
            bool (Q,), the queries that have any, and their lists.
        """
        kept = np.full(len(self.ranks), level <= 1) if self.grades is None else self.grades >= level
        counts = self.sums(kept).astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(counts[counts > 0])])
        return counts > 0, RankLists(offsets, self.ranks[kept], None if self.own is None else self.own[kept])
