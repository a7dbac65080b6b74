"""Ranks of the relevant passages, counted exactly, without sorting and without holding all scores.

The rank of a passage is one plus the number of passages that beat it: those with a higher score, and those with an
equal score that come first in `Benchmark.passages` (descending ids, trec_eval's rule). Counting costs one comparison
a score and relevant passage, and one set of scores serves the pools of single languages and the pool of all of them.
The best passages of every query, if they are asked for, come from the same scores.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.distributed import rank_and_world, sum_over_ranks
from hybrid_ir.evaluation.benchmarks.benchmark import MONOLINGUAL, MULTILINGUAL, Benchmark
from hybrid_ir.evaluation.ranking.best_lists import NO_PASSAGE, BestLists, BestPassages
from hybrid_ir.evaluation.ranking.scoring import Scorer

Compare = Callable[..., Tensor]  # torch.gt, torch.eq
EXACT_FLOAT_COUNT = 2**24  # a float32 sum of ones is exact up to here


@dataclass(frozen=True)
class Ranking:
    """Where passages are ranked. `own` and `pooled` hold 1-based ranks, aligned with `Benchmark.relevant`.

    Attributes:
        own: int64 (R,), rank among the passages of the passage's own language.
        pooled: int64 (R,), rank among the passages of all languages.
        top: MONOLINGUAL -> best passages of the query's own language, MULTILINGUAL -> of all; those asked for. Passages
            are positions in `Benchmark.passages`.
    """

    own: NDArray[np.int64]
    pooled: NDArray[np.int64]
    top: Mapping[str, BestPassages] = field(default_factory=dict)


@torch.no_grad()
def rank_relevant(
    benchmark: Benchmark, scorer: Scorer, query_chunk: int = 512, top: Mapping[str, int] | None = None
) -> Ranking:
    """Rank every relevant passage of every query.

    Under `torch.distributed` ranks share the chunks and all return the same result; all of them must call this.

    Args:
        benchmark: what is searched.
        scorer: scores its queries and passages.
        query_chunk: queries whose scores are in memory at once, rounded up to whole tiles of the scorer; they take 4
            bytes x chunk x P, counting them as much again for the largest language (four times that where all scores
            tie). The ranks do not depend on it, nor on the number of processes.
        top: how many of the best passages to keep, MONOLINGUAL and MULTILINGUAL.

    Raises:
        ValueError: the chunk is below 1.
    """
    if query_chunk < 1:
        raise ValueError(f"query_chunk must be at least 1, got {query_chunk}")
    chunk = -(-min(query_chunk, len(benchmark.queries)) // scorer.tile) * scorer.tile
    index = _Columns(benchmark, scorer.device)
    relevant = torch.from_numpy(index.column_of[benchmark.relevant]).to(scorer.device)
    counts = np.diff(benchmark.offsets)
    # Queries with most relevant passages first: those that have an i-th one are then always the first of a chunk.
    order = np.argsort(-counts, kind="stable")
    arranged = scorer.arrange(order, index.position.cpu().numpy())
    ranks = torch.zeros(2, len(relevant), dtype=torch.int64, device=scorer.device)
    best = {pool: BestLists(len(order), k, scorer.device, numbered=True) for pool, k in (top or {}).items()}
    scores = torch.empty(chunk, len(benchmark.passages), device=scorer.device)
    rank, world = rank_and_world()
    for start in range(rank * chunk, len(order), world * chunk):
        arranged.fill(start, scores)
        chosen = order[start : start + chunk]
        # The i-th relevant passages of the queries that have so many, as positions in Benchmark.relevant.
        wanted = [
            torch.from_numpy(benchmark.offsets[chosen[counts[chosen] > ordinal]] + ordinal).to(scorer.device)
            for ordinal in range(counts[chosen].max())
        ]
        found = index.ranks(scores, [relevant[positions] for positions in wanted])
        ranks[:, torch.cat(wanted)] = torch.cat(found, dim=1)
        for pool, lists in best.items():
            for rows, columns in index.pool(pool, benchmark.queries.languages[chosen]):
                part = scores[: len(chosen), columns]
                part = part if len(rows) == len(chosen) else part[torch.from_numpy(rows)]
                queries = torch.from_numpy(chosen[rows]).to(scorer.device)
                lists.offer(queries, part, index.keys[columns], index.order if pool == MULTILINGUAL else None)
    own, pooled = sum_over_ranks(ranks).cpu().numpy()
    lists_of = {pool: lists.over_ranks().finish() for pool, lists in best.items()}
    return Ranking(own, pooled, {pool: _by_position(each, len(index.keys)) for pool, each in lists_of.items()})


def _by_position(best: BestPassages, passages: int) -> BestPassages:
    numbers = np.asarray(best.passages)
    return BestPassages(np.where(numbers == NO_PASSAGE, NO_PASSAGE, passages - 1 - numbers), best.scores)


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


class _Columns:
    """Passages as columns: a block a language, and within a block in the order that ties are ranked in.

    Attributes:
        keys: int64 (P,), of each column; the passage with the greater key wins a tie.
        order: int64 (P,), the columns by falling key.
    """

    def __init__(self, benchmark: Benchmark, device: torch.device) -> None:
        languages = benchmark.passages.languages
        position = np.argsort(languages, kind="stable")
        bounds = np.searchsorted(languages[position], np.arange(len(benchmark.languages) + 1)).tolist()
        self.blocks = [slice(begin, end) for begin, end in pairwise(bounds)]
        assert max(end - begin for begin, end in pairwise(bounds)) < EXACT_FLOAT_COUNT, "a pool is too large to count"
        self.column_of = np.argsort(position)
        self.keys = len(position) - 1 - position
        self.order = torch.from_numpy(self.column_of).to(device)
        self.position = torch.from_numpy(position).to(device)
        self.language = torch.from_numpy(languages[position]).to(device)
        self.scratch = torch.empty(0, device=device)

    def pool(self, kind: str, languages: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], slice]]:
        """Which queries, given the language of each, search which columns."""
        if kind == MULTILINGUAL:
            yield np.arange(len(languages)), slice(None)
            return
        assert kind == MONOLINGUAL
        for language in np.unique(languages):
            yield np.flatnonzero(languages == language), self.blocks[language]

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

    def _count(self, compare: Compare, part: Tensor, threshold: Tensor) -> Tensor:
        """How many scores of each row compare so with the row's threshold: int64 (N,)."""
        if self.scratch.numel() < part.numel():
            self.scratch = torch.empty(part.numel(), device=part.device)
        # Flags as floats: torch writes and sums them several times faster than booleans.
        flags = self.scratch[: part.numel()].view(part.shape)
        return compare(part, threshold, out=flags).sum(dim=1).long()
