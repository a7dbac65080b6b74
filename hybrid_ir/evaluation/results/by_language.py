"""Results by language: a table with a row for each language, and matrices of language pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL
from hybrid_ir.evaluation.results.result import Result, Row


@dataclass(frozen=True)
class LanguageMatrix:
    """A measure for every query language (row) and passage language (column).

    Attributes:
        name: name of the measure (`map`, `language_share@10`).
        languages: languages of both rows and columns, in the benchmark's order.
        values: float64 (L, L); NaN if a pair of languages was not evaluated.
    """

    name: str
    languages: tuple[str, ...]
    values: NDArray[np.float64]


def language_matrices(result: Result) -> list[LanguageMatrix]:
    """A matrix for every cross-lingual measure and every `language_share@k`.

    For a cross-lingual measure, off-diagonal entries are from the `crosslingual` setting and diagonal entries from the
    `monolingual` one. For `language_share@k`, a row has the share of each language among the k best passages in the
    pool of all languages.
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
    """Columns and rows of a table with a row for each query language; None if a language has no value.

    A column is a macro average without the benchmark's name (`multilingual/map`, `rank_distance`). Cross-lingual
    measures have two columns: the mean over settings with the row's language as query language (`from`), and as passage
    language (`to`). Shares of single languages are only in the matrices.
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
