"""Exact top-k lists of passages for every query, collected in portions in bounded memory, with one tie rule.

The order is by score descending, then by passage id descending (trec_eval's rule), also if the cut falls between equal
scores. Passages have keys, of which the greater wins a tie: ids as UTF-8 bytes, whose order is that of code points, or
integers in the order of the ids. Keys are compared only if equal scores meet at the cut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.distributed import gather_rows, rank_and_world

Keys = NDArray[Any]  # of bytes or int64
Order = Callable[[Tensor], Tensor]
NO_PASSAGE = -1


@dataclass(frozen=True)
class BestPassages:
    """The best passages of each query, best first.

    Attributes:
        passages: (Q, k), ids as UTF-8 of fixed width, or int64 numbers; empty or `NO_PASSAGE` beyond the last passage.
        scores: float32 (Q, k); -inf beyond the last passage.
    """

    passages: Keys
    scores: NDArray[np.float32]

    def first(self, k: int) -> "BestPassages":
        """The first k of each list."""
        return BestPassages(self.passages[:, :k], self.scores[:, :k])

    def ranks(self, queries: NDArray[np.int64], passages: Keys) -> NDArray[np.int64]:
        """1-based rank of a passage in a query's list, 0 if it is not in it: int64 (N,) for N pairs."""
        hits = self.passages[queries] == passages[:, None]
        return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)


class BestLists:
    """Collects the k best passages of each query; passages are offered in any number of portions.

    Args:
        queries: number of queries.
        k: length of each list.
        device: where scores are compared.
        numbered: whether keys are int64 numbers from 0 instead of ids.
    """

    def __init__(self, queries: int, k: int, device: torch.device, numbered: bool = False) -> None:
        self.numbered = numbered
        self.scores = torch.full((queries, k), -torch.inf, device=device)  # best first
        shape, nothing = (queries, k), np.array(NO_PASSAGE) if numbered else np.zeros((), dtype="S1")
        self.keys: Keys = np.full(shape, nothing, dtype=np.int64 if numbered else "S1")

    def offer(self, queries: Tensor, scores: Tensor, keys: Keys, order: Tensor | None = None) -> None:
        """Consider some passages for some queries; no passage may be offered to a query twice.

        Args:
            queries: int64 (n,), distinct.
            scores: float32 (n, P), finite; or -inf for a passage that is ignored, which comes last.
            keys: (P,), distinct.
            order: int64 (P,), the columns by descending key; None if they are in this order.
        """
        # Once k good passages are known, most portions add nothing for most queries. An equal score may win by its key.
        live = (scores.amax(dim=1) >= self.scores[queries, -1]).nonzero().flatten()
        if not len(live):
            return
        if len(live) < len(scores):
            queries, scores = queries[live], scores[live]
        by_key = None if order is None else lambda rows: order.expand(len(rows), -1)
        columns = _best_columns(scores, self.scores.shape[1], by_key)
        self._merge(queries, scores.gather(1, columns), keys[columns.cpu().numpy()])

    def over_ranks(self) -> "BestLists":
        """The lists merged over the processes of a `torch.distributed` group, the same on every rank."""
        _, world = rank_and_world()
        if world == 1:
            return self
        width = int(gather_rows(torch.tensor([self.keys.itemsize])).max())
        keys = np.ascontiguousarray(self.keys.astype(self.keys.dtype if self.numbered else f"S{width}"))
        octets = torch.from_numpy(keys.view(np.uint8).reshape(len(keys), -1))
        every = gather_rows(octets).numpy().view(keys.dtype).reshape(world, *keys.shape)
        scores = gather_rows(self.scores).reshape(world, *self.scores.shape)
        joined = BestLists(len(self.scores), self.scores.shape[1], self.scores.device, self.numbered)
        queries = torch.arange(len(self.scores), device=self.scores.device)
        for theirs, named in zip(scores, every, strict=True):
            joined._merge(queries, theirs, named)
        return joined

    def finish(self) -> BestPassages:
        """The lists in their final order, ties included."""
        scores = self.scores.cpu().numpy()
        by_key = np.argsort(self.keys, axis=1, kind="stable")[:, ::-1]
        by_score = np.argsort(-np.take_along_axis(scores, by_key, 1), axis=1, kind="stable")
        order = np.take_along_axis(by_key, by_score, 1)
        return BestPassages(np.take_along_axis(self.keys, order, 1), np.take_along_axis(scores, order, 1))

    def _merge(self, queries: Tensor, scores: Tensor, keys: Keys) -> None:
        """Merge at most k passages of each query, given by descending score."""
        rows, width = queries.cpu().numpy(), scores.shape[1]
        if keys.itemsize > self.keys.itemsize:
            self.keys = self.keys.astype(keys.dtype)
        if (self.scores[queries, 0] == -torch.inf).all():  # nothing to merge with
            self.scores[queries, :width], self.keys[rows, :width] = scores, keys
            return
        scores, keys = torch.cat([self.scores[queries], scores], dim=1), np.concatenate([self.keys[rows], keys], axis=1)

        def by_key(tied: Tensor) -> Tensor:
            return torch.from_numpy(np.argsort(keys[tied.cpu().numpy()], axis=1)[:, ::-1].copy()).to(tied.device)

        columns = _best_columns(scores, self.scores.shape[1], by_key)
        self.scores[queries] = scores.gather(1, columns)
        self.keys[rows] = np.take_along_axis(keys, columns.cpu().numpy(), 1)


def _best_columns(scores: Tensor, k: int, order: Order | None) -> Tensor:
    """Columns of the k best scores of each row, by descending score: int64 (n, min(k, columns)).

    `order(rows)` gives the columns of some rows by descending key, int64 (rows, columns); it is called only for rows in
    which the cut falls between equal scores. None: the columns are in this order.
    """
    size = scores.shape[1]
    values, columns = scores.topk(min(k + 1, size), dim=1)  # topk leaves the order of equal scores undefined
    if size <= k:
        return columns
    lowest, columns = values[:, k - 1], columns[:, :k]
    tied = ((lowest == values[:, k]) & (lowest > -torch.inf)).nonzero().flatten()
    if len(tied):
        by_key = None if order is None else order(tied)
        part = scores[tied] if by_key is None else scores[tied].gather(1, by_key)
        chosen = _columns_at_cut(part, lowest[tied, None], k)
        chosen = chosen.gather(1, part.gather(1, chosen).argsort(dim=1, descending=True, stable=True))
        columns[tied] = chosen if by_key is None else by_key.gather(1, chosen)
    return columns


def _columns_at_cut(scores: Tensor, lowest: Tensor, k: int) -> Tensor:
    """Columns (n, k) of all scores above `lowest` (n, 1), and of the first equal ones, as many as fit."""
    above, equal = scores > lowest, scores == lowest
    room = k - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(dim=1, dtype=torch.int32) <= room))
    return chosen.nonzero()[:, 1].view(len(scores), k)
