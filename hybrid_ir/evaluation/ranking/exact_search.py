"""Exact search in a stream of passages, on disk or in memory: the best passages of each query, in bounded memory.

Results do not depend on the size of blocks and chunks, nor on which process searches which block. A matrix product may
give other last bits when its shape changes, so scores come from products of ONE shape, `TILE` queries by
`PASSAGE_TILE` passages with zero rows if there are fewer, in which every position is computed alike (a test shows it).
Another device, library or number of threads may still give other last bits.

For the few queries of somebody who waits, `quick_search` finds the same passages sooner. `search` multiplies zero rows
for the queries that are missing from a tile: for one query that is 256 times the work. `quick_search` first makes a
shortlist by one cheap pass, of the passages that can be among the best whatever the rounding, and `search` ranks these
alone. Scores, ties and ids are therefore those of a search of all passages, bit for bit.

Why none is lost: a dot product of D terms in float32 differs from the exact one by at most gamma(D) |q| |p|, with
gamma(D) = D u / (1 - D u) and u = 2^-24, in whatever order it is summed (Higham, Accuracy and Stability of Numerical
Algorithms, section 3.1). So the score s of `search` and the cheap score c differ by at most e = 2 gamma(D) |q| |p|. At
least k passages have c at or above the k-th best c, which is t; their s is at or above t - e, and so is the k-th best
s. A passage among the best k has s >= t - e, and hence c >= t - 2 e.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.evaluation.ranking.best_lists import BestLists, BestPassages
from hybrid_ir.evaluation.ranking.scoring import TILE, full_precision
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock

PASSAGE_TILE = 1024
FEW = 32  # queries; with more of them a search of all passages costs less
MOST = 65_536  # passages that a shortlist may have: beyond, nearly all scores are equal, and nothing is gained
PORTION = 1024  # passages made float32 at a time: they stay in the processor's cache


@torch.no_grad()
def search(
    queries: Tensor, blocks: Iterable[PassageBlock], k: int, query_chunk: int = 1024, numbered: bool = False
) -> BestPassages:
    """Search a corpus for all queries in one pass.

    Under `torch.distributed` each rank gives its share of the blocks, and all return the same; all must call this.

    Args:
        queries: float32 (Q, D) of any languages and settings; its device computes the scores.
        blocks: passages, each in one block only.
        k: passages kept for a query; may be more than there are.
        query_chunk: queries whose scores are in memory at once, 4 bytes x chunk x passages of a block.
        numbered: whether the blocks have int64 numbers instead of ids.

    Raises:
        ValueError: k or the chunk is below 1; a vector is not finite (names the passage) or so long that scores may
            overflow float32; a block's ids do not descend.
    """
    if k < 1 or query_chunk < 1:
        raise ValueError(f"k and query_chunk must be at least 1, got {k} and {query_chunk}")
    products = _TiledProducts(queries, query_chunk)
    best = BestLists(len(queries), k, queries.device, numbered)
    for block in blocks:
        if not (block.ids[1:] < block.ids[:-1]).all():
            raise ValueError("the ids of a block must be distinct and descend")
        for rows, scores in products.of(block):
            best.offer(rows, scores, block.ids)
    return best.over_ranks().finish()


def quick_search(
    queries: Tensor, blocks: Sequence[PassageBlock], k: int, longest: float, query_chunk: int = 1024
) -> BestPassages:
    """What `search(queries, blocks, k, query_chunk)` returns, by a shortlist if there are few queries.

    Args:
        queries: float32 (Q, D).
        blocks: passages, each in one block only; under `torch.distributed` this rank's.
        k: passages kept for a query.
        longest: the greatest norm of a passage's vector, or more.
        query_chunk: see `search`.

    Raises:
        ValueError: what `search` raises.
    """
    if blocks and len(queries) <= FEW and k >= 1:
        few = shortlist(queries.cpu(), blocks, k, longest)
        blocks = blocks if few is None else [few]
    return search(queries, blocks, k, query_chunk)


class _TiledProducts:
    """Scores of all queries with a block, in chunks of queries and tiles of one shape; buffers are used again."""

    def __init__(self, queries: Tensor, chunk: int) -> None:
        self.count, self.chunk = len(queries), -(-min(chunk, len(queries)) // TILE) * TILE
        self.queries = torch.nn.functional.pad(queries.float(), (0, 0, 0, -len(queries) % TILE))
        self.longest = _longest(self.queries, "query", lambda row: f"number {row}")
        self.passages = self.scores = torch.empty(0, 0)

    def of(self, block: PassageBlock) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows of queries, int64 (n,), and their scores (n, B), which are overwritten by the next."""
        size, width = len(block.ids), -(-len(block.ids) // PASSAGE_TILE) * PASSAGE_TILE
        if len(self.passages) != width:
            self.passages = self.queries.new_zeros(width, self.queries.shape[1])
            self.scores = self.queries.new_empty(self.chunk, width)
        self.passages[:size].copy_(block.vectors)
        self.passages[size:] = 0
        longest = _longest(self.passages[:size], "passage", lambda row: _name(block.ids[row]))
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
            rows = torch.arange(start, min(start + self.chunk, self.count), device=part.device)
            yield rows, self.scores[: len(rows), :size]


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


def _name(key: Any) -> str:
    return repr(key.decode()) if isinstance(key, bytes) else f"number {key}"


@torch.no_grad()
def shortlist(queries: Tensor, blocks: Iterable[PassageBlock], k: int, longest: float) -> PassageBlock | None:
    """All passages that can be among the k best of a query, and few others; None if there are more than `MOST`.

    The arguments are those of `quick_search`, with queries on the CPU and at least one block.
    """
    unit = queries.shape[1] * 2.0**-24
    smallest = queries.shape[1] * torch.finfo(torch.float32).tiny  # for products that underflow
    margin = 4 * unit / (1 - unit) * queries.double().norm(dim=1, keepdim=True) * longest + smallest
    best = torch.empty(len(queries), 0)
    listed = _Shortlisted()
    for block in blocks:
        scores = torch.cat(list(_cheap_products(queries, block.vectors)), dim=1)
        best = torch.cat([best, scores.topk(min(k, scores.shape[1]), dim=1).values], dim=1)
        best = best.topk(min(k, best.shape[1]), dim=1).values
        if best.shape[1] == k:
            listed.lowest = (best[:, -1:].double() - margin).float().nextafter(torch.tensor(-torch.inf))
        listed.add(block, scores)
        if listed.size > MOST:
            listed.tighten()
            if listed.size > MOST:
                return None
    listed.tighten()
    return listed.block()


class _Shortlisted:
    """Passages with a score at or above the lowest of interest for some query, as it was when they came."""

    def __init__(self) -> None:
        self.lowest: Tensor = torch.tensor(-torch.inf)
        self.parts: list[tuple[PassageBlock, Tensor]] = []

    @property
    def size(self) -> int:
        return sum(len(block.ids) for block, _ in self.parts)

    def add(self, block: PassageBlock, scores: Tensor) -> None:
        kept = (scores >= self.lowest).any(dim=0)
        self.parts.append((PassageBlock(block.ids[kept.numpy()], block.vectors[kept]), scores[:, kept]))

    def tighten(self) -> None:
        """Drop what is below the lowest by now."""
        parts, self.parts = self.parts, []
        for block, scores in parts:
            self.add(block, scores)

    def block(self) -> PassageBlock:
        return PassageBlock.join([block for block, _ in self.parts])


def _cheap_products(queries: Tensor, vectors: Tensor) -> Iterator[Tensor]:
    """Cheap scores (Q, n) of some passages after the other."""
    with full_precision(queries.device):
        for start in range(0, len(vectors), PORTION):
            yield queries @ vectors[start : start + PORTION].float().T
