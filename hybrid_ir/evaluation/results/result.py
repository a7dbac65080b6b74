"""A result: everything an evaluation found. Tables, plots, logs and files are renderings of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.settings import Setting


@dataclass(frozen=True)
class SettingResult:
    """Values of every query of one setting.

    Attributes:
        setting: which.
        queries: ids of its queries.
        query_groups: int64 (Q,), see `Benchmark`.
        values: measure -> float64 (Q,), in the order of `queries`; NaN where the measure has no value for a query
            (bias measures that compare a query with its translations, and there is none).
    """

    setting: Setting
    queries: tuple[str, ...]
    query_groups: NDArray[np.int64]
    values: Mapping[Measure, NDArray[np.float64]]


@dataclass(frozen=True)
class NamedPassages:
    """The best passages of queries by id, best first.

    Attributes:
        queries: ids (Q,).
        passages: UTF-8, fixed width (Q, k); empty if there were fewer than k.
        scores: float32 (Q, k); -inf there.
    """

    queries: tuple[str, ...]
    passages: NDArray[np.bytes_]
    scores: NDArray[np.float32]

    @classmethod
    def join(cls, parts: "Sequence[NamedPassages]") -> "NamedPassages":
        """Queries of all parts, in order; all parts have the same k."""
        queries = tuple(query for part in parts for query in part.queries)
        return cls(queries, np.concatenate([p.passages for p in parts]), np.concatenate([p.scores for p in parts]))


COLUMNS = ("benchmark", "setting", "query_language", "pool", "measure", "value", "queries")


@dataclass(frozen=True)
class Row:
    """One measure of one setting: the mean over the setting's queries that have a value."""

    benchmark: str
    setting: Setting
    measure: Measure
    value: float
    queries: int

    @property
    def group(self) -> str:
        """Name of the macro metric that it is averaged into: `xquad_r/monolingual/map`, `xquad_r/rank_distance`."""
        kind = () if self.measure.compares_languages else (self.setting.kind,)
        return "/".join((self.benchmark, *kind, self.measure.name))

    @property
    def name(self) -> str:
        """Name of the row's own metric: `xquad_r/monolingual/map/de`, `xquad_r/crosslingual/map/de-en`."""
        return f"{self.group}/{self.setting.label}"

    @property
    def cells(self) -> dict[str, str | float | int]:
        """The row as a line of a table: plain values by `COLUMNS`."""
        where = (self.setting.kind, self.setting.query_language, self.setting.pool)
        return dict(zip(COLUMNS, (self.benchmark, *where, self.measure.name, self.value, self.queries), strict=True))


@dataclass(frozen=True)
class Result:
    """What an evaluation of one benchmark found.

    Attributes:
        benchmark: its name, the first part of its metric names.
        languages: in the order that tables show.
        queries: number of queries by language.
        passages: number of passages by language.
        fingerprint: of the benchmark's content; equal fingerprints mean that the same thing was evaluated.
        settings: one entry a setting.
        seconds: what took how long (`embedding`, `scoring`).
        notes: what was left out of the benchmark, and why.
        top: pool -> best passages of every query, if they were to be kept (see `evaluate`).
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
        """Every measure of every setting, the flat table that files and tables are made of."""
        return tuple(
            Row(self.benchmark, entry.setting, measure, float(np.nanmean(values)), int((~np.isnan(values)).sum()))
            for entry in self.settings
            for measure, values in entry.values.items()
        )

    @cached_property
    def macro(self) -> dict[str, float]:
        """Means over the settings of a kind, each counting the same: what papers print and training monitors."""
        groups: dict[str, list[float]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row.value)
        return {name: float(np.mean(values)) for name, values in groups.items()}

    @cached_property
    def metrics(self) -> dict[str, float]:
        """`macro`, then every setting by itself."""
        return self.macro | {row.name: row.value for row in self.rows}
