"""Evaluation settings: combinations of a query language and a pool of passages, each with its own values."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL, MULTILINGUAL, Benchmark
from hybrid_ir.evaluation.measures.measures import RankLists
from hybrid_ir.evaluation.ranking.ranks import Ranking

ALL = "all"
RUN = "run"


@dataclass(frozen=True)
class Setting:
    """A combination of a query language and a pool.

    Attributes:
        kind: monolingual, crosslingual or multilingual; `RUN` for an external run, whose languages are unknown.
        query_language: language of the queries.
        pool: language of the ranked passages, or `ALL`.
    """

    kind: str
    query_language: str
    pool: str

    @property
    def label(self) -> str:
        """The label in metric names: `de`, or `de-en` for a crosslingual setting (query language first)."""
        return f"{self.query_language}-{self.pool}" if self.kind == CROSSLINGUAL else self.query_language


def split_by_setting(benchmark: Benchmark, ranks: Ranking) -> Iterator[tuple[Setting, NDArray[np.int64], RankLists]]:
    """Split ranks by setting.

    A setting has the queries of its language that have a relevant passage in its pool (MLQA-R asks a question in two to
    four languages only); a combination of languages without such a query is not a setting of the benchmark.

    Yields:
        The setting, the positions of its queries in `benchmark.queries` (ascending), and the ranks of their relevant
        passages; by kind of setting in the benchmark's order, then by language.
    """
    query = np.repeat(np.arange(len(benchmark.queries)), np.diff(benchmark.offsets))
    asked = benchmark.queries.languages[query]
    found = benchmark.passages.languages[benchmark.relevant]
    for kind in benchmark.settings:
        pooled = ranks.pooled if kind == MULTILINGUAL else ranks.own
        for setting, source, target in _settings(kind, benchmark.languages):
            rows = np.flatnonzero((asked == source) if target is None else (asked == source) & (found == target))
            if len(rows):
                yield setting, *_group(query[rows], pooled[rows], asked[rows] == found[rows])


def _settings(kind: str, languages: tuple[str, ...]) -> Iterator[tuple[Setting, int, int | None]]:
    for source, query_language in enumerate(languages):
        if kind == MULTILINGUAL:
            yield Setting(kind, query_language, ALL), source, None
            continue
        for target, pool in enumerate(languages):
            if (source == target) == (kind == MONOLINGUAL):
                yield Setting(kind, query_language, pool), source, target


def _group(
    query: NDArray[np.int64], ranks: NDArray[np.int64], own: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], RankLists]:
    order = np.lexsort((ranks, query))
    queries, begins = np.unique(query[order], return_index=True)
    return queries, RankLists(np.append(begins, len(query)).astype(np.int64), ranks[order], own[order])
