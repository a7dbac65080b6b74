"""The report as a document, independent of its format: sections of tables and figures."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it shows.
        key: what its column is sorted by; without it a column of text is sorted by its text, and in a column of numbers
            the cell comes last.
        best: the best of the arms in its column.
    """

    text: str
    key: float | str | None = None
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A column; columns with the same `group` next to each other share a heading above their own."""

    title: str
    group: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class TextLine:
    """A row of a table; `quoted` marks numbers that others published."""

    cells: tuple[Cell, ...]
    quoted: bool = False


@dataclass(frozen=True)
class Table:
    """A table. Its first column names the rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[TextLine, ...]


@dataclass(frozen=True)
class Panel:
    """One plot.

    Attributes:
        title: what it shows.
        svg: a whole `svg` element, without colours of its own (see `plots`).
    """

    title: str
    svg: str


@dataclass(frozen=True)
class Figure:
    """Plots that share a legend, with the numbers that they show.

    Attributes:
        name: unique in the report, for references and files.
        caption: what is shown.
        panels: the plots.
        legend: names of the series, in the order of their colours and marks; empty where there is one.
        data: the numbers.
    """

    name: str
    caption: str
    panels: tuple[Panel, ...]
    data: Table
    legend: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heading:
    """A heading within a section, such as the name of a benchmark."""

    text: str


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown on request."""

    title: str
    blocks: tuple["Table | Figure", ...]


Block = Heading | Table | Figure | Fold


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: its anchor.
        title: its heading.
        blocks: what it holds; without any, the section is left out, and `missing` says why.
        missing: what is left out of it, and why.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """A whole report."""

    title: str
    lead: str
    sections: tuple[Section, ...]

    @property
    def missing(self) -> list[tuple[str, str]]:
        """What is left out, and why, with the title of the section that it belongs to."""
        return [(section.title, reason) for section in self.sections for reason in section.missing]


def anchor(*parts: str) -> str:
    """A name that can be an HTML id and a file name; benchmarks may be called anything."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts)).strip("-.")
