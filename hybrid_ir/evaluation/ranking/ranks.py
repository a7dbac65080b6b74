"""Exact ranks of the relevant passages, counted without sorting and without keeping all scores in memory.

The rank of a passage is one plus the number of passages that beat it: those with a higher score, and those with an
equal score that come first in `Benchmark.passages` (descending ids, trec_eval's rule). Counting costs one comparison
per score and relevant passage, and the same scores serve the pools of single languages, the pool of all languages, and
the lists of best passages.
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
    """1-based ranks of the relevant passages, aligned with `Benchmark.relevant`, and lists of best passages.

    Attributes:
        own: int64 (R,), rank among the passages of the passage's own language.
        pooled: int64 (R,), rank among the passages of all languages.
        top: MONOLINGUAL -> best passages in the query's language, MULTILINGUAL -> best passages in any; the requested
            ones only. Passages are positions in `Benchmark.passages`.
    """

    own: NDArray[np.int64]
    pooled: NDArray[np.int64]
    top: Mapping[str, BestPassages] = field(default_factory=dict)


@torch.no_grad()
def rank_relevant(
    benchmark: Benchmark, scorer: Scorer, query_chunk: int = 512, top: Mapping[str, int] | None = None
) -> Ranking:
    """Rank every relevant passage of every query.

    Under `torch.distributed`, all ranks must call this; they share the chunks and return the same result.

    Args:
        benchmark: the benchmark.
        scorer: scores its queries and passages.
        query_chunk: queries whose scores are in memory at once, rounded up to whole tiles of the scorer: 4 bytes x
            chunk x P for the scores, and as much for the largest language while counting (four times that if all
            scores tie). The ranks do not depend on it, nor on the number of processes.
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
    # Queries with most relevant passages first, so that those with an i-th one are always the first of a chunk.
    order = np.argsort(-counts, kind="stable")
    arranged = scorer.arrange(order, index.position.cpu().numpy())
    ranks = torch.zeros(2, len(relevant), dtype=torch.int64, device=scorer.device)
    best = {pool: BestLists(len(order), k, scorer.device, numbered=True) for pool, k in (top or {}).items()}
    scores = torch.empty(chunk, len(benchmark.passages), device=scorer.device)
    rank, world = rank_and_world()
    for start in range(rank * chunk, len(order), world * chunk):
        arranged.fill(start, scores)
        chosen = order[start : start + chunk]
        if benchmark.ignored is not None:
            index.ignore(scores, benchmark.ignored[chosen])
        # The i-th relevant passage of each query that has so many, as positions in Benchmark.relevant.
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
    none = (numbers == NO_PASSAGE) | np.isneginf(best.scores)  # an ignored passage has no score
    return BestPassages(np.where(none, NO_PASSAGE, passages - 1 - numbers), best.scores)


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
    """Passages as columns of scores: a block for each language, within a block in the order that breaks ties.

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
        """Queries, given by their languages, and the columns that they search."""
        if kind == MULTILINGUAL:
            yield np.arange(len(languages)), slice(None)
            return
        assert kind == MONOLINGUAL
        for language in np.unique(languages):
            if self.blocks[language].start == self.blocks[language].stop:
                continue
            yield np.flatnonzero(languages == language), self.blocks[language]

    def ignore(self, scores: Tensor, positions: NDArray[np.int64]) -> None:
        """Take from each query, by its row, the score of the passage at a position; -1 takes none."""
        rows = np.flatnonzero(positions >= 0)
        scores[torch.from_numpy(rows), torch.from_numpy(self.column_of[positions[rows]])] = -torch.inf

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
        filled = [language for language, block in enumerate(self.blocks) if block.start < block.stop]
        for language in filled:  # the outer loop, so that a block's scores stay in the cache
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
        """The number of passages of one language that beat each target: int64 (N,)."""
        part, positions = scores[:, self.blocks[language]], self.position[self.blocks[language]]
        # In a block that is entirely before the target, ties beat it; in one entirely behind it, they do not.
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
        """The number of scores in each row for which `compare(score, threshold)` holds: int64 (N,)."""
        if self.scratch.numel() < part.numel():
            self.scratch = torch.empty(part.numel(), device=part.device)
        # Flags as floats: torch writes and sums them several times faster than booleans.
        flags = self.scratch[: part.numel()].view(part.shape)
        return compare(part, threshold, out=flags).sum(dim=1).long()
