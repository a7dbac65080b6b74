"""An evaluation as W&B tables, charts and heat maps. Nothing here needs a network or a W&B run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hybrid_ir.evaluation.results.by_language import LanguageMatrix, language_matrices, language_table
from hybrid_ir.evaluation.measures.definitions.language_bias import RankDistance
from hybrid_ir.evaluation.results.result import COLUMNS, Result
from hybrid_ir.reports.rendering.document import anchor
from hybrid_ir.reports.rendering.html import standalone_svg
from hybrid_ir.reports.rendering.numerals import share
from hybrid_ir.reports.rendering.plots import heat_map

PAGE = "<!doctype html><meta charset=utf-8><style>body{{margin:0}}</style>{}"


def evaluation_panels(result: Result) -> dict[str, Any]:
    """W&B's media of one benchmark, by the key they are logged under.

    `BENCHMARK/settings` holds every measure of every setting, `BENCHMARK/languages` a line a language. For every
    cross-lingual measure, and for the shares of languages among the best passages, `BENCHMARK/matrix/MEASURE` holds the
    numbers and `BENCHMARK/heat_map/MEASURE` shows them. `BENCHMARK/bias_by_language` draws the rank distance.
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
    """How long the parts of an evaluation took, in seconds."""
    return {f"evaluation_seconds/{result.benchmark}/{part}": seconds for part, seconds in result.seconds.items()}


def batch_mix_panels(shares: Mapping[str, float]) -> dict[str, Any]:
    """The realised mix of an epoch's batches as a table: a line a batch kind or language, its shares in the columns.

    Args:
        shares: values of `EpochMetrics`; those called `share/KIND`, `share/question/LANGUAGE` and
            `share/passage/LANGUAGE` are shown.
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
    """On the scale of all shares, so that the maps of two evaluations can be compared."""
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
