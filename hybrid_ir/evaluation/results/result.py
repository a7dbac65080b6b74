"""The result of an evaluation, from which tables, plots, logs and files are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.settings import Setting


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


COLUMNS = ("benchmark", "setting", "query_language", "pool", "measure", "value", "queries")


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
