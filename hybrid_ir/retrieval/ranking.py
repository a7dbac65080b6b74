"""Ranks of the relevant passages, counted exactly, without sorting and without holding all scores.

The rank of a passage is one plus the number of passages that beat it: those with a higher score, and those with an
equal score that come first in `Benchmark.passages` (descending ids, trec_eval's rule). Counting costs one comparison
a score and relevant passage, and one set of scores serves the pools of single languages and the pool of all of them.

Results do not depend on the chunk size: a matrix product may give other last bits when its shape changes, so scores
come from products of ONE shape, `TILE` queries (zero rows fill up the last tile) by all passages, and chunks are whole
tiles. Equal vectors tie: the score of a repeated passage vector is copied from its first occurrence. Another device,
library or number of threads may still give other last bits, and so swap passages whose scores differ by no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.distributed import rank_and_world, sum_over_ranks
from hybrid_ir.retrieval.benchmark import Benchmark
from hybrid_ir.retrieval.precision import full_precision

TILE = 256
Comparison = Callable[..., Tensor]  # torch.gt, torch.eq
EXACT_FLOAT_COUNT = 2**24  # a float32 sum of ones is exact up to here


@dataclass(frozen=True)
class RelevantRanks:
    """1-based ranks, aligned with `Benchmark.relevant`.

    Attributes:
        own: int64 (R,), rank among the passages of the passage's own language.
        pooled: int64 (R,), rank among the passages of all languages.
    """

    own: NDArray[np.int64]
    pooled: NDArray[np.int64]


@torch.no_grad()
def rank_relevant(benchmark: Benchmark, queries: Tensor, passages: Tensor, query_chunk: int = 512) -> RelevantRanks:
    """Rank every relevant passage of every query.

    Under `torch.distributed` ranks share the chunks and all return the same result; all of them must call this.

    Args:
        benchmark: what is searched.
        queries: float32 (Q, D) in the order of `benchmark.queries`.
        passages: float32 (P, D) in the order of `benchmark.passages`, on the same device.
        query_chunk: queries whose scores are in memory at once, rounded up to whole tiles of `TILE`; they take 4 bytes
            x chunk x P, counting them as much again for the largest language (four times that where all scores tie).
            The ranks do not depend on it, nor on the number of processes.

    Raises:
        ValueError: the chunk is below 1, or the vectors are so long that scores may overflow float32.
    """
    if query_chunk < 1:
        raise ValueError(f"query_chunk must be at least 1, not {query_chunk}")
    assert len(queries) == len(benchmark.queries) and len(passages) == len(benchmark.passages)
    _check_length(queries, passages)
    chunk = -(-min(query_chunk, len(queries)) // TILE) * TILE
    index = _Index(benchmark, passages)
    relevant = torch.from_numpy(index.column_of[benchmark.relevant]).to(passages.device)
    counts = np.diff(benchmark.offsets)
    # Queries with most relevant passages first: those that have an i-th one are then always the first of a chunk.
    order = np.argsort(-counts, kind="stable")
    padded = torch.nn.functional.pad(queries[torch.from_numpy(order)], (0, 0, 0, -len(queries) % TILE))
    ranks = torch.zeros(2, len(relevant), dtype=torch.int64, device=passages.device)
    scores = torch.empty(chunk, len(passages), device=passages.device)
    rank, world = rank_and_world()
    for start in range(rank * chunk, len(queries), world * chunk):
        index.score(padded[start : start + chunk], scores)
        chosen = order[start : start + chunk]
        # The i-th relevant passages of the queries that have so many, as places in Benchmark.relevant.
        wanted = [
            torch.from_numpy(benchmark.offsets[chosen[counts[chosen] > place]] + place).to(passages.device)
            for place in range(counts[chosen].max())
        ]
        found = index.ranks(scores, [relevant[places] for places in wanted])
        ranks[:, torch.cat(wanted)] = torch.cat(found, dim=1)
    own, pooled = sum_over_ranks(ranks).cpu().numpy()
    return RelevantRanks(own=own, pooled=pooled)


class _Targets(NamedTuple):
    """One passage for each of N queries.

    Attributes:
        score: float32 (N, 1), of query and passage.
        just_below: float32 (N, 1), the next smaller number.
        position: int64 (N,), in `Benchmark.passages`.
        language: int64 (N,), of the passage.
    """

    score: Tensor
    just_below: Tensor
    position: Tensor
    language: Tensor


class _Index:
    """Passage vectors as columns: a block a language, and within a block in the order that ties are ranked in."""

    def __init__(self, benchmark: Benchmark, passages: Tensor) -> None:
        languages, device = benchmark.passages.languages, passages.device
        position = np.argsort(languages, kind="stable")
        bounds = np.searchsorted(languages[position], np.arange(len(benchmark.languages) + 1)).tolist()
        self.blocks = [slice(begin, end) for begin, end in pairwise(bounds)]
        assert max(end - begin for begin, end in pairwise(bounds)) < EXACT_FLOAT_COUNT, "a pool is too large to count"
        self.column_of = np.argsort(position)
        self.position = torch.from_numpy(position).to(device)
        self.language = torch.from_numpy(languages[position]).to(device)
        self.vectors = passages[self.position]
        repeated, first = _repeated_rows(self.vectors.cpu().numpy())
        self.repeated, self.first = torch.from_numpy(repeated).to(device), torch.from_numpy(first).to(device)
        self.scratch = torch.empty(0, device=device)

    def score(self, queries: Tensor, out: Tensor) -> None:
        """Fill the first rows of `out` (chunk, P) with the scores of whole tiles of queries (n, D)."""
        with full_precision(queries.device):
            for start in range(0, len(queries), TILE):
                torch.mm(queries[start : start + TILE], self.vectors.T, out=out[start : start + TILE])
        if len(self.repeated):
            out[:, self.repeated] = out[:, self.first]

    def ranks(self, scores: Tensor, columns: Sequence[Tensor]) -> list[Tensor]:
        """Ranks of the relevant passages of a chunk of queries.

        Args:
            scores: float32 (chunk, P).
            columns: the i-th holds, int64 (N_i,), the i-th relevant passage of each of the first N_i queries.

        Returns:
            for each of `columns` int64 (2, N_i): rank in the pool of the passage's own language, and of all languages.
        """
        targets = [self._targets(scores[: len(column)], column) for column in columns]
        ranks = [torch.ones(2, len(column), dtype=torch.int64, device=scores.device) for column in columns]
        for language in range(len(self.blocks)):  # the outer loop, so that a block's scores stay in the cache
            for target, (own, pooled) in zip(targets, ranks, strict=True):
                ahead = self._ahead(scores[: len(own)], language, target)
                own += torch.where(target.language == language, ahead, 0)
                pooled += ahead
        return ranks

    def _targets(self, scores: Tensor, column: Tensor) -> _Targets:
        score = scores.gather(1, column[:, None])
        just_below = torch.nextafter(score, torch.full_like(score, -torch.inf))
        return _Targets(score, just_below, self.position[column], self.language[column])

    def _ahead(self, scores: Tensor, language: int, target: _Targets) -> Tensor:
        """How many passages of one language beat the target: int64 (N,)."""
        part, positions = scores[:, self.blocks[language]], self.position[self.blocks[language]]
        # Ties of a block that lies wholly before the target beat it; of a block wholly behind it, none does.
        behind = (target.position > positions[-1])[:, None]
        ahead = self._count(torch.gt, part, torch.where(behind, target.just_below, target.score))
        within = ((positions[0] <= target.position) & (target.position <= positions[-1])).nonzero().flatten()
        if len(within):
            rows = slice(None) if len(within) == len(part) else within
            equal = self._count(torch.eq, part[rows], target.score[rows])
            tied = within[equal > (target.language[rows] == language)]  # the target is one of the equal ones
            before = (part[tied] == target.score[tied]) & (positions < target.position[tied, None])
            ahead[tied] += before.sum(dim=1)
        return ahead

    def _count(self, compare: Comparison, part: Tensor, threshold: Tensor) -> Tensor:
        """How many scores of each row compare so with the row's threshold: int64 (N,)."""
        if self.scratch.numel() < part.numel():
            self.scratch = torch.empty(part.numel(), device=part.device)
        # Flags as floats: torch writes and sums them several times faster than booleans.
        flags = self.scratch[: part.numel()].view(part.shape)
        return compare(part, threshold, out=flags).sum(dim=1).long()


def _repeated_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that equal an earlier row, and the first row that each of them equals."""
    as_bytes = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first, group = np.unique(as_bytes, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[group] != np.arange(len(rows)))
    return repeated, first[group][repeated]


def _check_length(queries: Tensor, passages: Tensor) -> None:
    # |q.p| and every partial sum of it is at most |q||p|, so one product of norms bounds all scores.
    longest = [float(torch.linalg.vector_norm(vectors, dim=1).max()) for vectors in (queries, passages)]
    if not longest[0] * longest[1] < torch.finfo(torch.float32).max:
        raise ValueError(
            f"the longest query vector has norm {longest[0]:.3g}, the longest passage vector {longest[1]:.3g}: their "
            f"scores may overflow float32. Normalise the vectors, or repair the model"
        )
