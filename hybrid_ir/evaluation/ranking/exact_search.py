"""Exact top-k search over a stream of passages, from disk or memory, in bounded memory.

Results do not depend on the size of blocks and chunks, nor on which process searches which block. The last bits of a
matrix product can change with its shape, so all scores come from products of ONE shape, `TILE` queries by
`PASSAGE_TILE` passages, filled up with zero rows, in which every position is computed alike (a test shows it). Another
device, library or number of threads can still change the last bits.

`quick_search` returns the same results faster for a few interactive queries. `search` fills tiles with zero rows, which
for a single query is 256 times the work. `quick_search` first makes a shortlist in one cheap pass, of all passages that
can be among the best whatever the rounding, and `search` then ranks only these. Scores, ties and ids therefore equal
those of a search over all passages, bit for bit.

Why the shortlist is complete: a dot product of D terms in float32 differs from the exact one by at most
gamma(D) |q| |p|, with gamma(D) = D u / (1 - D u) and u = 2^-24, in any order of summation (Higham, Accuracy and
Stability of Numerical Algorithms, section 3.1). So the score s of `search` and the cheap score c differ by at most
e = 2 gamma(D) |q| |p|. Let t be the k-th best c. At least k passages have c >= t and thus s >= t - e, so the k-th best
s is at least t - e. A passage among the best k has s >= t - e, and hence c >= t - 2 e.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.evaluation.ranking.best_lists import BestLists, BestPassages
from hybrid_ir.evaluation.ranking.scoring import TILE, full_precision
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock

PASSAGE_TILE = 1024
FEW = 32  # queries; with more, a search over all passages costs less
MOST = 65_536  # longest shortlist: beyond it, nearly all scores are equal, and nothing is gained
PORTION = 1024  # passages converted to float32 at a time: they stay in the processor's cache


@torch.no_grad()
def search(
    queries: Tensor, blocks: Iterable[PassageBlock], k: int, query_chunk: int = 1024, numbered: bool = False
) -> BestPassages:
    """Search a corpus for all queries in one pass.

    Under `torch.distributed`, all ranks must call this; each passes its share of the blocks, and all return the same.

    Args:
        queries: float32 (Q, D), of any languages; scores are computed on its device.
        blocks: blocks of passages; a passage is in one block only.
        k: passages to keep for each query; may exceed the number of passages.
        query_chunk: queries whose scores are in memory at once, 4 bytes x chunk x passages of a block.
        numbered: whether the blocks have int64 numbers instead of ids.

    Raises:
        ValueError: k or the chunk is below 1; a vector is not finite (names the passage) or so long that scores may
            overflow float32; the ids of a block do not descend.
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
    """The result of `search(queries, blocks, k, query_chunk)`, computed from a shortlist if there are few queries.

    Args:
        queries: float32 (Q, D).
        blocks: see `search`.
        k: passages to keep for each query.
        longest: an upper bound of the norms of passage vectors.
        query_chunk: see `search`.

    Raises:
        ValueError: see `search`.
    """
    if blocks and len(queries) <= FEW and k >= 1:
        few = shortlist(queries.cpu(), blocks, k, longest)
        blocks = blocks if few is None else [few]
    return search(queries, blocks, k, query_chunk)


class _TiledProducts:
    """Scores of all queries with a block, in chunks of queries and tiles of one shape, in reused buffers."""

    def __init__(self, queries: Tensor, chunk: int) -> None:
        self.count, self.chunk = len(queries), -(-min(chunk, len(queries)) // TILE) * TILE
        self.queries = torch.nn.functional.pad(queries.float(), (0, 0, 0, -len(queries) % TILE))
        self.longest = _longest(self.queries, "query", lambda row: f"number {row}")
        self.passages = self.scores = torch.empty(0, 0)

    def of(self, block: PassageBlock) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows of queries, int64 (n,), and their scores (n, B), which the next iteration overwrites."""
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
    """The greatest norm of the vectors, or an error if any of them is not finite."""
    norms = torch.linalg.vector_norm(vectors, dim=1)
    longest = float(norms.max())
    if not longest < torch.inf:
        first = int((~norms.isfinite()).nonzero()[0])
        raise ValueError(
            f"the vector of {kind} {name(first)} has NaN or infinity, or a norm that overflows float32. The model's "
            f"weights or its precision are broken"
        )
    return longest


def _name(key: Any) -> str:
    return repr(key.decode()) if isinstance(key, bytes) else f"number {key}"


@torch.no_grad()
def shortlist(queries: Tensor, blocks: Iterable[PassageBlock], k: int, longest: float) -> PassageBlock | None:
    """All passages that can be among the k best of a query, and few others; None if there are more than `MOST`.

    Arguments as in `quick_search`, with queries on the CPU and at least one block.
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
    """Passages whose score for some query reached the query's threshold at the time they were read."""

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
        """Drop passages that are below the thresholds by now."""
        parts, self.parts = self.parts, []
        for block, scores in parts:
            self.add(block, scores)

    def block(self) -> PassageBlock:
        return PassageBlock.join([block for block, _ in self.parts])


def _cheap_products(queries: Tensor, vectors: Tensor) -> Iterator[Tensor]:
    """Cheap scores (Q, n), a portion of passages at a time."""
    with full_precision(queries.device):
        for start in range(0, len(vectors), PORTION):
            yield queries @ vectors[start : start + PORTION].float().T
