"""The same best passages as `topk.search`, sooner for the few queries of somebody who waits.

`search` computes every score in a product of one shape, with zero rows for the queries that there are not, so that a
score never depends on what else is searched. For one query that is 256 times the work. Here one cheap pass finds the
few passages that can be among the best, whatever the rounding, and `search` ranks these alone. Its scores, ties and ids
are therefore those of a search of all passages, bit for bit.

Why none is lost: a dot product of D terms in float32 differs from the exact one by at most gamma(D) |q| |p|, with
gamma(D) = D u / (1 - D u) and u = 2^-24, in whatever order it is summed (Higham, Accuracy and Stability of Numerical
Algorithms, section 3.1). So the score s of `search` and the cheap score c differ by at most e = 2 gamma(D) |q| |p|. At
least k passages have c at or above the k-th best c, which is t; their s is at or above t - e, and so is the k-th best
s. A passage among the best k has s >= t - e, and hence c >= t - 2 e.
"""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from hybrid_ir.evaluation.ranking.precision import full_precision
from hybrid_ir.evaluation.ranking.topk import TopK, search
from hybrid_ir.evaluation.vectors.block import Block

FEW = 32  # queries; with more of them a search of all passages costs less
MOST = 65_536  # passages that a shortlist may have: beyond, nearly all scores are equal, and nothing is gained
PORTION = 1024  # passages made float32 at a time: they stay in the processor's cache


def quick_search(queries: Tensor, blocks: Sequence[Block], k: int, longest: float, query_chunk: int = 1024) -> TopK:
    """What `search(queries, blocks, k, query_chunk)` returns, by a shortlist where there are few queries.

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


@torch.no_grad()
def shortlist(queries: Tensor, blocks: Iterable[Block], k: int, longest: float) -> Block | None:
    """All passages that can be among the k best of a query, and few others; None where there are more than `MOST`.

    The arguments are those of `quick_search`, with queries on the CPU and at least one block.
    """
    unit = queries.shape[1] * 2.0**-24
    smallest = queries.shape[1] * torch.finfo(torch.float32).tiny  # for products that underflow
    margin = 4 * unit / (1 - unit) * queries.double().norm(dim=1, keepdim=True) * longest + smallest
    best = torch.empty(len(queries), 0)
    listed = _Listed()
    for block in blocks:
        scores = torch.cat(list(_products(queries, block.vectors)), dim=1)
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


class _Listed:
    """Passages with a score at or above the lowest of interest for some query, as it was when they came."""

    def __init__(self) -> None:
        self.lowest: Tensor = torch.tensor(-torch.inf)
        self.parts: list[tuple[Block, Tensor]] = []

    @property
    def size(self) -> int:
        return sum(len(block.ids) for block, _ in self.parts)

    def add(self, block: Block, scores: Tensor) -> None:
        kept = (scores >= self.lowest).any(dim=0)
        self.parts.append((Block(block.ids[kept.numpy()], block.vectors[kept]), scores[:, kept]))

    def tighten(self) -> None:
        """Drop what is below the lowest by now."""
        parts, self.parts = self.parts, []
        for block, scores in parts:
            self.add(block, scores)

    def block(self) -> Block:
        return Block.join([block for block, _ in self.parts])


def _products(queries: Tensor, vectors: Tensor) -> Iterator[Tensor]:
    """Cheap scores (Q, n) of some passages after the other."""
    with full_precision(queries.device):
        for start in range(0, len(vectors), PORTION):
            yield queries @ vectors[start : start + PORTION].float().T
