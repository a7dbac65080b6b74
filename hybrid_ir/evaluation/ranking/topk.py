"""The best passages of each query in a stream of passages: exact, by one tie rule, in bounded memory.

Ties: score descending, then passage id descending (trec_eval's rule), also where the cut falls between equal scores.
Ids are compared as UTF-8 bytes, which is the order of code points, and only where equal scores meet at the cut: within
a block, whose passages come in descending order of ids, the first ones are taken; between blocks the ids decide.

Results do not depend on the size of blocks and chunks, nor on which process searches which block. A matrix product may
give other last bits when its shape changes, so scores come from products of ONE shape, `TILE` queries by
`PASSAGE_TILE` passages with zero rows where there are fewer, in which every place is computed alike (a test shows it).
Another device, library or number of threads may still give other last bits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.distributed import gather_rows, rank_and_world
from hybrid_ir.evaluation.ranking.precision import full_precision
from hybrid_ir.evaluation.ranking.scoring import TILE
from hybrid_ir.evaluation.vectors.block_files import Block, Ids

PASSAGE_TILE = 1024


@dataclass(frozen=True)
class TopK:
    """The best passages of each query, best first.

    Attributes:
        scores: float32 (Q, k); -inf where fewer than k passages were searched.
        ids: UTF-8, fixed width (Q, k); empty there.
    """

    scores: NDArray[np.float32]
    ids: Ids

    def ranks(self, queries: NDArray[np.int64], passages: Ids) -> NDArray[np.int64]:
        """1-based rank of a passage in a query's list, 0 where it is not in it: int64 (N,) for N pairs."""
        hits = self.ids[queries] == passages[:, None]
        return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)


@torch.no_grad()
def search(queries: Tensor, blocks: Iterable[Block], k: int, query_chunk: int = 1024) -> TopK:
    """Search a corpus for all queries in one pass.

    Under `torch.distributed` each rank gives its share of the blocks, and all return the same; all must call this.

    Args:
        queries: float32 (Q, D) of any languages and settings; its device computes the scores.
        blocks: passages, each in one block only.
        k: passages kept for a query; may be more than there are.
        query_chunk: queries whose scores are in memory at once, 4 bytes x chunk x passages of a block.

    Raises:
        ValueError: k or the chunk is below 1; a vector is not finite (names the passage) or so long that scores may
            overflow float32; a block's ids do not descend.
    """
    if k < 1 or query_chunk < 1:
        raise ValueError(f"k and query_chunk must be at least 1, not {k} and {query_chunk}")
    products = _Products(queries, query_chunk)
    best = _Best(len(queries), k, queries.device)
    for block in blocks:
        if not (block.ids[1:] < block.ids[:-1]).all():
            raise ValueError("the ids of a block must be distinct and descend")
        for rows, scores in products.of(block):
            best.offer(rows, scores, block.ids)
    return best.over_ranks().sorted()


class _Products:
    """Scores of all queries with a block, in chunks of queries and tiles of one shape; buffers are used again."""

    def __init__(self, queries: Tensor, chunk: int) -> None:
        self.count, self.chunk = len(queries), -(-min(chunk, len(queries)) // TILE) * TILE
        self.queries = torch.nn.functional.pad(queries.float(), (0, 0, 0, -len(queries) % TILE))
        self.longest = _longest(self.queries, "query", lambda row: f"number {row}")
        self.passages = self.scores = torch.empty(0, 0)

    def of(self, block: Block) -> Iterable[tuple[slice, Tensor]]:
        """Rows of queries and their scores (n, B), which are overwritten by the next."""
        size, width = len(block.ids), -(-len(block.ids) // PASSAGE_TILE) * PASSAGE_TILE
        if len(self.passages) != width:
            self.passages = self.queries.new_zeros(width, self.queries.shape[1])
            self.scores = self.queries.new_empty(self.chunk, width)
        self.passages[:size].copy_(block.vectors)
        self.passages[size:] = 0
        longest = _longest(self.passages[:size], "passage", lambda row: repr(block.ids[row].decode()))
        if not self.longest * longest < torch.finfo(torch.float32).max:
            raise ValueError(
                f"query vectors of norm up to {self.longest:.3g} and passage vectors of norm up to {longest:.3g}: "
                f"their scores may overflow float32. Normalise the vectors, or repair the model"
            )
        for start in range(0, self.count, self.chunk):
            part = self.queries[start : start + self.chunk]
            with full_precision(part.device):
                for row in range(0, len(part), TILE):
                    for column in range(0, width, PASSAGE_TILE):
                        out = self.scores[row : row + TILE, column : column + PASSAGE_TILE]
                        torch.mm(part[row : row + TILE], self.passages[column : column + PASSAGE_TILE].T, out=out)
            rows = slice(start, min(start + self.chunk, self.count))
            yield rows, self.scores[: rows.stop - rows.start, :size]


class _Best:
    """The k best of what was offered so far, best first but for equal scores."""

    def __init__(self, queries: int, k: int, device: torch.device) -> None:
        self.scores = torch.full((queries, k), -torch.inf, device=device)
        self.ids: Ids = np.zeros((queries, k), dtype="S1")

    def offer(self, rows: slice, scores: Tensor, ids: Ids) -> None:
        """Consider passages of one block: scores (n, B) of the queries `rows`, ids (B,) descending."""
        # Most blocks have nothing for most queries, once k good passages are known. An equal score may win by its id.
        live = (scores.amax(dim=1) >= self.scores[rows, -1]).nonzero().flatten()
        if len(live):
            scores = scores if len(live) == len(scores) else scores[live]
            columns = _best_columns(scores, self.scores.shape[1], lambda _, tied: tied)
            self._merge(live + rows.start, scores.gather(1, columns), ids[columns.cpu().numpy()])

    def over_ranks(self) -> "_Best":
        """The best of what all ranks have, the same on every rank."""
        _, world = rank_and_world()
        if world == 1:
            return self
        width = int(gather_rows(torch.tensor([self.ids.itemsize])).max())
        letters = np.ascontiguousarray(self.ids.astype(f"S{width}")).view(np.uint8).reshape(len(self.ids), -1)
        every = gather_rows(torch.from_numpy(letters)).numpy().view(f"S{width}").reshape(world, *self.ids.shape)
        scores = gather_rows(self.scores).reshape(world, *self.scores.shape)
        whole = _Best(len(self.scores), self.scores.shape[1], self.scores.device)
        queries = torch.arange(len(self.scores), device=self.scores.device)
        for theirs, ids in zip(scores, every, strict=True):
            whole._merge(queries, theirs, ids)
        return whole

    def sorted(self) -> TopK:
        """The lists in their final order, ties included."""
        scores = self.scores.cpu().numpy()
        order = np.stack([np.lexsort(keys)[::-1] for keys in zip(self.ids, scores, strict=True)])
        return TopK(np.take_along_axis(scores, order, 1), np.take_along_axis(self.ids, order, 1))

    def _merge(self, queries: Tensor, scores: Tensor, ids: Ids) -> None:
        rows = queries.cpu().numpy()
        scores, ids = torch.cat([self.scores[queries], scores], dim=1), np.concatenate([self.ids[rows], ids], axis=1)

        def by_id(row: int, tied: Tensor) -> Tensor:
            return tied[torch.from_numpy(np.argsort(ids[row, tied.cpu().numpy()])[::-1].copy()).to(tied.device)]

        columns = _best_columns(scores, self.scores.shape[1], by_id)
        self.scores[queries] = scores.gather(1, columns)
        if ids.itemsize > self.ids.itemsize:
            self.ids = self.ids.astype(ids.dtype)
        self.ids[rows] = np.take_along_axis(ids, columns.cpu().numpy(), 1)


def _best_columns(scores: Tensor, k: int, by_id: Callable[[int, Tensor], Tensor]) -> Tensor:
    """Columns of the k best of each row (fewer where there are fewer), by falling score: int64 (n, min(k, columns)).

    Where the cut falls between equal scores, `by_id(row, columns)` puts their columns in descending order of ids.
    """
    values, columns = scores.topk(min(k + 1, scores.shape[1]), dim=1)
    if scores.shape[1] <= k:
        return columns
    cut, chosen = values[:, k - 1], columns[:, :k]
    for row in ((cut == values[:, k]) & (cut > -torch.inf)).nonzero().flatten().tolist():
        better = chosen[row][values[row, :k] > cut[row]]
        tied = by_id(row, (scores[row] == cut[row]).nonzero().flatten())
        chosen[row] = torch.cat([better, tied[: k - len(better)]])
    return chosen


def _longest(vectors: Tensor, kind: str, name: Callable[[int], str]) -> float:
    """The greatest norm; NaN and infinity anywhere show in it."""
    norms = torch.linalg.vector_norm(vectors, dim=1)
    longest = float(norms.max())
    if not longest < torch.inf:
        first = int((~norms.isfinite()).nonzero()[0])
        raise ValueError(
            f"the vector of {kind} {name(first)} has NaN or infinity, or a norm that overflows float32. The model's "
            f"weights or its precision are broken: nothing can be ranked"
        )
    return longest
