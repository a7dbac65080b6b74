"""Plots as SVG: lines with bands, and heat maps.

Elements have classes instead of colours: `templates/theme.css` and `plots.css` define them for light and dark themes.
Text, symbols and dashes distinguish series without colour.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape as escape_html

from hybrid_ir.sources.untrusted import printable

MARKS = "●■▲◆▼★"  # in legends; `_mark` draws them
SERIES = 8  # colours in the theme
LEVELS = 9  # shades of a heat map in the theme

WIDTH, HEIGHT = 460.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 12.0, 46.0
TICKS = 5


@dataclass(frozen=True)
class Point:
    """A point with the ends of its band, which equal the value if there is no band."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """A line of a plot; `position` is its position in the legend, which decides colour and symbol."""

    label: str
    points: tuple[Point, ...]
    position: int = 0


@dataclass(frozen=True)
class Axis:
    """An axis of a plot.

    Attributes:
        title: title of the axis.
        text: formats numbers.
        tick_text: formats tick labels; `text` by default.
        ticks: positions of the ticks; round numbers by default.
    """

    title: str
    text: Callable[[float], str]
    tick_text: Callable[[float], str] | None = None
    ticks: tuple[float, ...] | None = None


def legend_mark(position: int) -> str:
    """The symbol of a series, as a character."""
    return MARKS[position % len(MARKS)]


def line_plot(name: str, title: str, series: Sequence[Series], x: Axis, y: Axis) -> str:
    """A line plot over a common x axis, each line with its band.

    Args:
        name: name, unique on the page.
        title: description for screen readers.
        series: at least one, each with at least one point.
        x: the horizontal axis.
        y: the vertical axis.
    """
    points = [point for line in series for point in line.points]
    x_ticks = x.ticks or _ticks(min(point.x for point in points), max(point.x for point in points))
    y_ticks = _ticks(min(point.low for point in points), max(point.high for point in points))
    across = _scale(min(x_ticks), max(x_ticks), LEFT + 10, WIDTH - RIGHT - 10)
    up = _scale(min(y_ticks), max(y_ticks), HEIGHT - BOTTOM, TOP)
    floor = HEIGHT - BOTTOM
    parts = []
    for tick in y_ticks:
        level = up(tick)
        parts.append(_element("line", cls="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=level, y2=level))
        parts.append(_text((y.tick_text or y.text)(tick), LEFT - 8, level + 4.5, "tick end"))
    for tick in x_ticks:
        parts.append(_element("line", cls="axis", x1=across(tick), x2=across(tick), y1=floor, y2=floor + 5))
        parts.append(_text((x.tick_text or x.text)(tick), across(tick), floor + 20, "tick middle"))
    parts.append(_element("line", cls="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=floor, y2=floor))
    parts.append(_text(x.title, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "label middle"))
    parts.extend(
        _element("g", "".join(_line(line, across, up, x, y)), cls=f"series s{line.position % SERIES}")
        for line in series
    )
    says = "; ".join(
        f"{line.label or y.title}: " + ", ".join(f"{y.text(point.y)} at {x.text(point.x)}" for point in line.points)
        for line in series
    )
    return _svg(name, title, f"{y.title} against {x.title}. {says}.", WIDTH, HEIGHT, "".join(parts))


def heat_map(
    name: str,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    text: Callable[[float], str],
    row_title: str,
    column_title: str,
    scale: tuple[float, float] | None = None,
) -> str:
    """A heat map with every value written in its cell.

    Args:
        name: name, unique on the page.
        title: description for screen readers.
        rows: names of the rows.
        columns: names of the columns.
        values: values by row and column, at least one; None leaves a cell empty.
        text: formats a value.
        row_title: title of the rows.
        column_title: title of the columns.
        scale: values of the lightest and the darkest shade; values beyond are clipped. By default the lowest and the
            highest of `values`. Shades can be compared only between plots with the same scale.
    """
    width, height, left, top = 46.0, 30.0, 62.0, 44.0
    present = [value for row in values for value in row if value is not None]
    low, high = scale or (min(present), max(present))
    middle = top + height * len(rows) / 2
    parts = [
        _text(column_title, left + width * len(columns) / 2, 14, "label middle"),
        _element("text", escape(row_title), cls="label middle", transform=f"translate(14 {middle:.1f}) rotate(-90)"),
        *(_text(column, left + width * (at + 0.5), top - 8, "tick middle") for at, column in enumerate(columns)),
    ]
    for down, (row, line) in enumerate(zip(rows, values, strict=True)):
        parts.append(_text(row, left - 8, top + height * (down + 0.5) + 4.5, "tick end"))
        for at, value in enumerate(line):
            if value is None:
                continue
            level = round(min(max((value - low) / (high - low), 0), 1) * (LEVELS - 1)) if high > low else 0
            x, y = left + width * at, top + height * down
            says = _element("title", escape(f"{row}-{columns[at]}: {text(value)}"))
            cell = _element("rect", says, cls="cell", x=x, y=y, width=width - 1.5, height=height - 1.5, rx=3.0)
            number = _text(text(value), x + width / 2 - 0.75, y + height / 2 + 3.5, "value middle")
            parts.append(_element("g", cell + number, cls=f"h{level}"))
    says = f"{row_title} by {column_title}, from {text(min(present))} to {text(max(present))}."
    size = left + width * len(columns) + 4, top + height * len(rows) + 4
    return _svg(name, title, says, *size, "".join(parts), "heat")


def _line(line: Series, across: Callable[[float], float], up: Callable[[float], float], x: Axis, y: Axis) -> list[str]:
    def path(ends: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{'L' if position else 'M'}{a:.1f} {b:.1f}" for position, (a, b) in enumerate(ends))

    points = sorted(line.points, key=lambda point: point.x)
    upper = [(across(point.x), up(point.high)) for point in points]
    lower = [(across(point.x), up(point.low)) for point in points]
    parts = []
    if any(point.high > point.low for point in points):
        parts.append(_element("path", cls="band", d=path([*upper, *reversed(lower)]) + " Z"))
        parts.extend(
            _element("line", cls="whisker", x1=a[0], x2=a[0], y1=a[1], y2=b[1])
            for a, b in zip(upper, lower, strict=True)
        )
    parts.append(_element("path", cls="line", d=path([(across(point.x), up(point.y)) for point in points])))
    for point in points:
        band = f" ({y.text(point.low)} to {y.text(point.high)})" if point.high > point.low else ""
        says = f"{line.label or y.title}, {x.title} {x.text(point.x)}: {y.text(point.y)}{band}"
        parts.append(_mark(line.position, across(point.x), up(point.y), says))
    return parts


def _mark(position: int, x: float, y: float, says: str) -> str:
    corners: dict[str, Sequence[tuple[float, float]]] = {
        "■": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "▲": ((0, -5.5), (5, 4), (-5, 4)),
        "◆": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
        "▼": ((0, 5.5), (5, -4), (-5, -4)),
        "★": [
            (radius * math.sin(math.pi * turn / 5), -radius * math.cos(math.pi * turn / 5))
            for turn, radius in enumerate((6.5, 2.7) * 5)
        ],
    }
    title = _element("title", escape(says))
    shape = corners.get(legend_mark(position))
    if shape is None:
        return _element("circle", title, cls="mark", cx=x, cy=y, r=4.5)
    return _element("polygon", title, cls="mark", points=" ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in shape))


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers that enclose the range."""
    if high - low < 1e-9:
        margin = max(abs(low) / 100, 1e-3)
        low, high = low - margin, high + margin
    rough = (high - low) / (TICKS - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(number * step, 10) for number in range(first, last + 1))


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    width = (high - low) or 1.0
    return lambda value: begin + (value - low) / width * (end - begin)


def _svg(name: str, title: str, says: str, width: float, height: float, content: str, cls: str = "lines") -> str:
    head = _element("title", escape(title), id=f"{name}-title") + _element("desc", escape(says), id=f"{name}-desc")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot {cls}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">{head}{content}</svg>'
    )


def _text(text: str, x: float, y: float, cls: str) -> str:
    return _element("text", escape(text), cls=cls, x=x, y=y)


def _element(tag: str, content: str = "", cls: str = "", **attributes: float | str) -> str:
    pairs = ({"class": cls} if cls else {}) | attributes
    written = "".join(
        f' {key}="{escape(value) if isinstance(value, str) else f"{value:.1f}"}"' for key, value in pairs.items()
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def escape(text: str) -> str:
    return escape_html(printable(text))
