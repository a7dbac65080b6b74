"""The result of an evaluation, from which tables, plots, logs and files are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL, MULTILINGUAL, Benchmark
from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.measures.rank_lists import RankLists
from hybrid_ir.evaluation.ranking.ranks import Ranking

COLUMNS = ("benchmark", "setting", "query_language", "pool", "measure", "value", "queries")
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
                grades = None if benchmark.grades is None else benchmark.grades[rows]
                yield setting, *_group(query[rows], pooled[rows], asked[rows] == found[rows], grades)


def _settings(kind: str, languages: tuple[str, ...]) -> Iterator[tuple[Setting, int, int | None]]:
    for source, query_language in enumerate(languages):
        if kind == MULTILINGUAL:
            yield Setting(kind, query_language, ALL), source, None
            continue
        for target, pool in enumerate(languages):
            if (source == target) == (kind == MONOLINGUAL):
                yield Setting(kind, query_language, pool), source, target


def _group(
    query: NDArray[np.int64], ranks: NDArray[np.int64], own: NDArray[np.bool_], grades: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], RankLists]:
    order = np.lexsort((ranks, query))
    queries, begins = np.unique(query[order], return_index=True)
    graded = None if grades is None else grades[order]
    return queries, RankLists(np.append(begins, len(query)).astype(np.int64), ranks[order], own[order], graded)


@dataclass(frozen=True)
class SettingResult:
    """The values of every query of one setting.

    Attributes:
        setting: the setting.
        queries: ids of its queries.
        query_groups: int64 (Q,), see `Benchmark`.
        values: measure -> float64 (Q,), in the order of `queries`; NaN if the measure is undefined for a query (such as
            a comparison with its translations, if there are none).
    """

    setting: Setting
    queries: tuple[str, ...]
    query_groups: NDArray[np.int64]
    values: Mapping[Measure, NDArray[np.float64]]


@dataclass(frozen=True)
class NamedPassages:
    """The best passages of some queries by id, best first.

    Attributes:
        queries: ids (Q,).
        passages: ids as UTF-8 of fixed width, (Q, k); empty beyond the last passage.
        scores: float32 (Q, k); -inf beyond the last passage.
    """

    queries: tuple[str, ...]
    passages: NDArray[np.bytes_]
    scores: NDArray[np.float32]

    @classmethod
    def join(cls, parts: "Sequence[NamedPassages]") -> "NamedPassages":
        """The queries of all parts, in order; all parts have the same k."""
        queries = tuple(query for part in parts for query in part.queries)
        return cls(queries, np.concatenate([p.passages for p in parts]), np.concatenate([p.scores for p in parts]))


@dataclass(frozen=True)
class Row:
    """One measure of one setting: the mean over those of its queries that have a value."""

    benchmark: str
    setting: Setting
    measure: Measure
    value: float
    queries: int

    @property
    def group(self) -> str:
        """The name of the macro average that it counts in: `xquad_r/monolingual/map`, `xquad_r/rank_distance`."""
        kind = () if self.measure.compares_languages else (self.setting.kind,)
        return "/".join((self.benchmark, *kind, self.measure.name))

    @property
    def name(self) -> str:
        """The name of the row's metric: `xquad_r/monolingual/map/de`, `xquad_r/crosslingual/map/de-en`."""
        return f"{self.group}/{self.setting.label}"

    @property
    def cells(self) -> dict[str, str | float | int]:
        """The row as plain values by the names in `COLUMNS`."""
        where = (self.setting.kind, self.setting.query_language, self.setting.pool)
        return dict(zip(COLUMNS, (self.benchmark, *where, self.measure.name, self.value, self.queries), strict=True))


@dataclass(frozen=True)
class Result:
    """The result of one system on one benchmark.

    Attributes:
        benchmark: its name, the first part of its metric names.
        languages: languages in the order of tables.
        queries: number of queries by language.
        passages: number of passages by language.
        fingerprint: fingerprint of the benchmark's content; equal fingerprints mean equal benchmarks.
        settings: the values of each setting.
        seconds: duration of each stage (`embedding`, `scoring`).
        notes: what was left out of the benchmark, and why.
        top: pool -> best passages of every query, if `evaluate` was asked to keep them.
    """

    benchmark: str
    languages: tuple[str, ...]
    queries: Mapping[str, int]
    passages: Mapping[str, int]
    fingerprint: str
    settings: tuple[SettingResult, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    top: Mapping[str, NamedPassages] = field(default_factory=dict)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every measure of every setting as a flat table, from which files and tables are made."""
        return tuple(
            Row(self.benchmark, entry.setting, measure, float(np.nanmean(values)), int((~np.isnan(values)).sum()))
            for entry in self.settings
            for measure, values in entry.values.items()
        )

    @cached_property
    def macro(self) -> dict[str, float]:
        """Macro averages: unweighted means over the settings of a kind, as in papers and in training logs."""
        groups: dict[str, list[float]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row.value)
        return {name: float(np.mean(values)) for name, values in groups.items()}

    @cached_property
    def metrics(self) -> dict[str, float]:
        """`macro`, then the metrics of every single setting."""
        return self.macro | {row.name: row.value for row in self.rows}
