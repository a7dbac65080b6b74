"""The document model of a report, independent of its format: sections of tables and figures."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: the shown text.
        key: sort key within its column; without it, a text column is sorted by text, and in a column of numbers the
            cell comes last.
        best: whether it is the best of the arms in its column.
    """

    text: str
    key: float | str | None = None
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A column; adjacent columns with the same `group` share a heading above their own."""

    title: str
    group: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class TextLine:
    """A row of a table; `quoted` marks numbers published by others."""

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
        title: title of the plot.
        svg: an `svg` element without colours (see `plots`).
    """

    title: str
    svg: str


@dataclass(frozen=True)
class Figure:
    """Plots that share a legend, with their numbers.

    Attributes:
        name: name for references and files, unique in the report.
        caption: caption of the figure.
        panels: the plots.
        legend: names of the series, in the order of their colours and symbols; empty if there is only one.
        data: the numbers as a table.
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
    """Blocks that are collapsed until a reader opens them."""

    title: str
    blocks: tuple["Table | Figure", ...]


Block = Heading | Table | Figure | Fold


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: its anchor.
        title: its heading.
        blocks: its content; without any, the section is left out, and `missing` has the reason.
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
        """Pairs of a section's title and what is left out of it, with the reason."""
        return [(section.title, reason) for section in self.sections for reason in section.missing]


def anchor(*parts: str) -> str:
    """A name that is a valid HTML id and file name, whatever characters the parts have."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts)).strip("-.")
