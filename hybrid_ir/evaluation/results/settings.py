"""Settings: who searches what. Every combination of a query language and a pool has values of its own."""

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
    """One combination of a query language and a pool.

    Attributes:
        kind: monolingual, crosslingual or multilingual; `RUN` for a run made elsewhere, whose languages are not known.
        query_language: the language of its queries.
        pool: the language of the passages that are ranked, or `ALL`.
    """

    kind: str
    query_language: str
    pool: str

    @property
    def label(self) -> str:
        """How metric names say which: `de`, and for a crosslingual setting `de-en` (query language first)."""
        return f"{self.query_language}-{self.pool}" if self.kind == CROSSLINGUAL else self.query_language


def split_by_setting(benchmark: Benchmark, ranks: Ranking) -> Iterator[tuple[Setting, NDArray[np.int64], RankLists]]:
    """Split ranks by setting.

    A setting has the queries of its language that have a relevant passage in its pool (MLQA-R asks a question in two to
    four languages only); a combination of languages without such a query is not a setting of the benchmark.

    Yields:
        setting, positions of its queries in `benchmark.queries` (ascending), and the ranks of their relevant passages;
        settings by kind in the benchmark's order, then by language.
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
