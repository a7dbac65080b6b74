"""W&B tables, charts and heat maps of an evaluation, made without a network or a W&B run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL
from hybrid_ir.evaluation.measures.definitions.language_bias import RankDistance
from hybrid_ir.evaluation.results.result import COLUMNS, Result, Row
from hybrid_ir.reports.rendering.document import anchor
from hybrid_ir.reports.rendering.html import standalone_svg
from hybrid_ir.reports.rendering.numerals import share
from hybrid_ir.reports.rendering.plots import heat_map

PAGE = "<!doctype html><meta charset=utf-8><style>body{{margin:0}}</style>{}"


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


def evaluation_panels(result: Result) -> dict[str, Any]:
    """W&B media of the result on one benchmark, by log key.

    `BENCHMARK/settings` has every measure of every setting, `BENCHMARK/languages` a row for each language. For every
    cross-lingual measure, and for the shares of languages among the best passages, `BENCHMARK/matrix/MEASURE` has the
    numbers and `BENCHMARK/heat_map/MEASURE` the plot. `BENCHMARK/bias_by_language` plots the rank distance.
    """
    import wandb

    columns, lines = language_table(result)
    languages = wandb.Table(columns=[*columns], data=lines)
    panels: dict[str, Any] = {
        "settings": wandb.Table(columns=list(COLUMNS), data=[list(row.cells.values()) for row in result.rows]),
        "languages": languages,
    }
    for matrix in language_matrices(result):
        panels[f"matrix/{matrix.name}"] = _matrix_table(matrix)
        page = PAGE.format(standalone_svg(_heat_map(result.benchmark, matrix)))
        panels[f"heat_map/{matrix.name}"] = wandb.Html(page, inject=False)
    if RankDistance.kind in columns:
        chosen = [[line[0], line[columns.index(RankDistance.kind)]] for line in lines]
        panels["bias_by_language"] = wandb.plot.bar(
            wandb.Table(columns=["language", RankDistance.kind], data=chosen),
            "language",
            RankDistance.kind,
            title=f"{result.benchmark}: rank distance by query language (lower is less bias)",
        )
    return {f"{result.benchmark}/{name}": panel for name, panel in panels.items()}


def evaluation_seconds(result: Result) -> dict[str, float]:
    """The durations of the stages of an evaluation, in seconds."""
    return {f"evaluation_seconds/{result.benchmark}/{part}": seconds for part, seconds in result.seconds.items()}


def batch_mix_panels(shares: Mapping[str, float]) -> dict[str, Any]:
    """The realised mix of an epoch's batches as a table, with batch kinds and languages as rows and shares as columns.

    Args:
        shares: values of `EpochMetrics`; `share/KIND`, `share/question/LANGUAGE` and `share/passage/LANGUAGE` are
            shown.
    """
    import wandb

    lines: dict[str, dict[str, float]] = {}
    for name, value in shares.items():
        first, *rest = name.split("/")
        if first == "share":
            lines.setdefault(rest[-1], {})[rest[0] if len(rest) > 1 else "batches"] = value
    sides = ["batches", "question", "passage"]
    data = [[label, *(line.get(side) for side in sides)] for label, line in lines.items()]
    return {"train_epoch/batch_mix": wandb.Table(columns=["batch kind or language", *sides], data=data)}


def _heat_map(benchmark: str, matrix: LanguageMatrix) -> str:
    """The heat map of a matrix, on a scale of 0 to 1, so that two evaluations can be compared."""
    return heat_map(
        name=anchor("heat", benchmark, matrix.name),
        title=f"{benchmark}: {matrix.name.replace('_', ' ')}, query language by passage language",
        rows=matrix.languages,
        columns=matrix.languages,
        values=_cells(matrix),
        text=share,
        row_title="query language",
        column_title="passage language",
        scale=(0.0, 1.0),
    )


def _cells(matrix: LanguageMatrix) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in matrix.values]


def _matrix_table(matrix: LanguageMatrix) -> Any:
    import wandb

    data = [[language, *row] for language, row in zip(matrix.languages, _cells(matrix), strict=True)]
    return wandb.Table(columns=["question \\ passage", *matrix.languages], data=data)




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
