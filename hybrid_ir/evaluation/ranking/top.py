"""The best passages of queries, exactly, and by the rule of ranks: score descending, then passage id descending."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NO_PASSAGE = -1


@dataclass(frozen=True)
class TopPassages:
    """The best passages of every query of a benchmark in one pool, best first.

    Attributes:
        passages: int64 (Q, k), positions in `Benchmark.passages`; `NO_PASSAGE` where the pool has fewer than k.
        scores: float32 (Q, k), 0 where there is no passage.
    """

    passages: NDArray[np.int64]
    scores: NDArray[np.float32]

    def first(self, k: int) -> "TopPassages":
        """The k best of them."""
        return TopPassages(self.passages[:, :k], self.scores[:, :k])


@dataclass(frozen=True)
class NamedPassages:
    """The best passages of queries by id, best first, where passages have no positions: those of streamed corpora.

    Attributes:
        queries: ids (Q,).
        passages: UTF-8, fixed width (Q, k); empty where there were fewer than k.
        scores: float32 (Q, k), of any value there.
    """

    queries: tuple[str, ...]
    passages: NDArray[np.bytes_]
    scores: NDArray[np.float32]

    @classmethod
    def join(cls, parts: "Sequence[NamedPassages]") -> "NamedPassages":
        """Queries of all parts, in order; all parts have the same k."""
        queries = tuple(query for part in parts for query in part.queries)
        return cls(queries, np.concatenate([p.passages for p in parts]), np.concatenate([p.scores for p in parts]))


def best_passages(scores: Tensor, positions: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Positions and scores of the k best passages of every query.

    Args:
        scores: float32 (N, P), finite.
        positions: int64 (P,), distinct; of two passages with equal scores that with the smaller position is the better.
        k: at least 1; less is returned where P is smaller.

    Returns:
        int64 (N, min(k, P)) and float32 (N, min(k, P)), best first, ties at the cut included by the same rule.
    """
    size = scores.shape[1]
    k = min(k, size)
    values, columns = scores.topk(min(k + 1, size), dim=1)  # in which order equal scores come is not defined
    if size > k:
        tied = (values[:, k - 1] == values[:, k]).nonzero().flatten()
        columns = columns[:, :k]
        if len(tied):
            columns[tied] = _columns_at_cut(scores[tied], values[tied, k - 1 : k], positions, k)
    found = positions[columns]
    by_position = found.argsort(dim=1)
    values = scores.gather(1, columns).gather(1, by_position)
    order = values.argsort(dim=1, descending=True, stable=True)
    return found.gather(1, by_position).gather(1, order), values.gather(1, order)


def _columns_at_cut(scores: Tensor, lowest: Tensor, positions: Tensor, k: int) -> Tensor:
    """Columns (N, k) of all scores above `lowest` (N, 1), and of as many equal ones, first positions first, as fit."""
    in_order = positions.argsort()
    scores = scores[:, in_order]
    above, equal = scores > lowest, scores == lowest
    room = k - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(dim=1, dtype=torch.int32) <= room))
    return in_order[chosen.nonzero()[:, 1].view(len(scores), k)]
