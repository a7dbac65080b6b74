"""Results as tables in the terminal and in Markdown."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hybrid_ir.evaluation.benchmarks.benchmark import MULTILINGUAL, SETTINGS
from hybrid_ir.evaluation.measures.measures import Direction, Measure, Unit, better, measure_of
from hybrid_ir.evaluation.results.result import RUN
from hybrid_ir.sources.untrusted import printable

PLAIN_WIDTH = 110

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class HeadlineRow:
    """Macro averages of one setting of one benchmark: measure -> metric name."""

    benchmark: str
    setting: str
    names: Mapping[str, str]


def headline_rows(metrics: Metrics) -> list[HeadlineRow]:
    """The macro averages among `metrics`, a row a benchmark and setting; values of single languages are left out.

    Measures of language bias, which only the pool of all languages has, stand in the row of that setting; the shares of
    single languages are left out.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for name in metrics:
        benchmark, *rest = name.split("/")
        if len(rest) == 1 and Measure.parse(rest[0]).language is None:
            rows.setdefault((benchmark, MULTILINGUAL), {})[rest[0]] = name
        elif len(rest) == 2 and rest[0] in (*SETTINGS, RUN):
            rows.setdefault((benchmark, rest[0]), {})[rest[1]] = name
    return [HeadlineRow(benchmark, setting, names) for (benchmark, setting), names in rows.items()]


def headline_table(metrics: Metrics, baseline: Metrics | None = None, title: str | None = None) -> Table:
    """Macro averages, a line a measure and a column a setting; with a baseline, the change since then next to each.

    Narrow enough for a terminal of 80 columns, with any number of benchmarks below each other.
    """
    rows = headline_rows(metrics)
    settings = list(dict.fromkeys(row.setting for row in rows))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("measure")
    for setting in settings:
        table.add_column(_plain(setting), justify="right")
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        named = {row.setting: row.names for row in rows if row.benchmark == benchmark}
        table.add_section()
        table.add_row(f"[bold]{_plain(benchmark)}[/]")
        for measure in dict.fromkeys(measure for names in named.values() for measure in names):
            names = [named.get(setting, {}).get(measure) for setting in settings]
            cells = ["" if name is None else _cell(name, metrics, baseline or {}) for name in names]
            table.add_row(_plain(measure.replace("_", " ")), *cells)
    return table


def print_headline(metrics: Metrics, baseline: Metrics | None = None, title: str | None = None) -> None:
    """Print `headline_table`; plain, and in lines of fixed width, if the output is not a terminal."""
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(headline_table(metrics, baseline, title))


def headline_markdown(runs: Mapping[str, Metrics]) -> str:
    """Runs side by side in Markdown: a line a run, a column a macro average."""
    columns = {
        name: f"{row.benchmark} {row.setting} {measure}"
        for metrics in runs.values()
        for row in headline_rows(metrics)
        for measure, name in row.names.items()
    }
    columns = {name: printable(title).replace("|", "\\|") for name, title in columns.items()}
    rows = (
        [printable(run), *(format_value(name, metrics.get(name)) for name in columns)] for run, metrics in runs.items()
    )
    return markdown_table(["run", *columns.values()], rows)


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool] | None = None) -> str:
    """The table, without a line break at its end. Cells are not escaped.

    `numeric` says which columns are aligned to the right; without it, all but the first.
    """
    right = [column > 0 for column in range(len(titles))] if numeric is None else numeric
    rule = "|" + "|".join("---:" if number else "---" for number in right) + "|"
    head, *lines = (f"| {' | '.join(cells)} |" for cells in (titles, *rows))
    return "\n".join([head, rule, *lines])


def format_value(name: str, value: float | None) -> str:
    """A value of a metric with the decimals of its unit, and a dash for what was not measured."""
    if value is None:
        return "-"
    measure = measure_of(name)
    return f"{value:.{(measure.unit if measure else Unit.SHARE).value}f}"


def _plain(name: str) -> str:
    """A name that rich prints as it is."""
    return escape(printable(name))


def _cell(name: str, metrics: Metrics, baseline: Metrics) -> str:
    value, before = metrics[name], baseline.get(name)
    text = format_value(name, value)
    if before is None:
        return text
    change = f"{'-' if value < before else '+'}{format_value(name, abs(value - before))}"
    measure = measure_of(name)
    if value == before or (measure and measure.direction is Direction.NEITHER):
        return f"{text} {change}"
    return f"{text} [{'green' if better(name, value, before) else 'red'}]{change}[/]"
