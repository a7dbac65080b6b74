"""Results by language: a line a language, and a matrix of the pairs of languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL
from hybrid_ir.evaluation.results.result import Result, Row


@dataclass(frozen=True)
class LanguageMatrix:
    """One measure of every query language (row) and passage language (column).

    Attributes:
        name: of the measure (`map`, `language_share@10`).
        languages: of both rows and columns, in the benchmark's order.
        values: float64 (L, L); NaN if a pair of languages was not evaluated.
    """

    name: str
    languages: tuple[str, ...]
    values: NDArray[np.float64]


def language_matrices(result: Result) -> list[LanguageMatrix]:
    """A matrix for every cross-lingual measure and every `language_share@k`; none if there are neither.

    Off the diagonal of a cross-lingual measure stands the setting `crosslingual`, on it `monolingual`: the same
    question, asked of the passages of its own language. In a row of `language_share@k` stand the shares of the
    languages among the k best passages of the pool of all languages.
    """
    cells: dict[str, dict[tuple[str, str], float]] = {}
    for row in result.rows:
        query, pool, measure = row.setting.query_language, row.setting.pool, row.measure
        if measure.language is not None:
            cells.setdefault(f"{measure.kind}@{measure.cutoff}", {})[query, measure.language] = row.value
        elif row.setting.kind in (CROSSLINGUAL, MONOLINGUAL):
            cells.setdefault(measure.name, {})[query, pool] = row.value
    return [
        LanguageMatrix(name, result.languages, _values(result.languages, values))
        for name, values in cells.items()
        if any(query != passage for query, passage in values)
    ]


def language_table(result: Result) -> tuple[list[str], list[list[str | float | None]]]:
    """Columns and lines of a table with a line a query language; None where a language has no value.

    A column is a macro average of the benchmark without its name (`multilingual/map`, `rank_distance`). Cross-lingual
    measures have two: the mean over the pools that are asked in the line's language (`from`), and over the languages
    that the pool of the line's language is asked in (`to`). Shares of single languages are left to the matrices.
    """
    columns: dict[str, dict[str, list[float]]] = {}
    for row in result.rows:
        if row.measure.language is not None:
            continue
        for name, language in _columns_of(row):
            columns.setdefault(name, {}).setdefault(language, []).append(row.value)
    lines: list[list[str | float | None]] = [
        [language, *(_mean(values.get(language)) for values in columns.values())] for language in result.languages
    ]
    return ["language", *columns], lines


def _columns_of(row: Row) -> Sequence[tuple[str, str]]:
    name = row.group.removeprefix(f"{row.benchmark}/")
    if row.setting.kind != CROSSLINGUAL:
        return [(name, row.setting.query_language)]
    return [(f"{name} from", row.setting.query_language), (f"{name} to", row.setting.pool)]


def _mean(values: Sequence[float] | None) -> float | None:
    return None if values is None else float(np.mean(values))


def _values(languages: Sequence[str], cells: Mapping[tuple[str, str], float]) -> NDArray[np.float64]:
    return np.array([[cells.get((query, passage), np.nan) for passage in languages] for query in languages])
