"""A report as one self-contained HTML page: no network, no other files."""

from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, StrictUndefined

from hybrid_ir.reports.rendering.document import Column, Report
from hybrid_ir.reports.rendering.plots import legend_mark
from hybrid_ir.sources.untrusted import printable

TEMPLATES = files(__package__) / "templates"


def to_html(report: Report) -> str:
    """The HTML page of a report. Names from runs are escaped; only this package's own markup is not."""
    page = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_printable
    )
    page.filters["groups"], page.filters["mark"] = column_groups, legend_mark
    page.filters["kind"] = lambda block: type(block).__name__
    styles = "\n".join(read_template(name) for name in ("theme.css", "plots.css", "report.css"))
    text = page.from_string(read_template("report.html.j2")).render(
        report=report, styles=styles, script=read_template("report.js")
    )
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def _printable(value: Any) -> Any:
    """A template value with unprintable characters removed, unless it is this package's own markup."""
    return printable(value) if type(value) is str else value


def standalone_svg(svg: str) -> str:
    """A plot as a separate SVG file, with the colours of both themes included."""
    styles = read_template("theme.css") + read_template("plots.css")
    head, closing, rest = svg.partition(">")
    return f"{head}{closing}<style>{styles}</style>{rest}\n"


def column_groups(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """The headings above columns and the number of columns that each spans; empty if no column has one."""
    spans = [(title, len(list(members))) for title, members in groupby(columns, key=lambda column: column.group)]
    return spans if any(title for title, _ in spans) else []


def read_template(name: str) -> str:
    """A file of the package's templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")
