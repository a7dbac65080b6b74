"""A language-by-language matrix as a heat map: a vector graphic that needs nothing but itself."""

from html import escape

import numpy as np

from hybrid_ir.reporting.by_language import LanguageMatrix

CELL, LABEL, SIDE, TITLE, LEGEND, MARGIN = 46, 44, 72, 34, 30, 12  # pixels
# Light to dark, of even steps in lightness: also in grey, and for the colour-blind, more is darker.
SCALE = ((0.0, (255, 251, 235)), (0.33, (186, 222, 192)), (0.66, (62, 148, 163)), (1.0, (22, 49, 92)))
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:14px}.m{text-anchor:middle}"
    ".e{text-anchor:end}.n{font-size:12px;font-variant-numeric:tabular-nums}.g{font-size:12px;fill:#666}.w{fill:#fff}"
    ".b{fill:#222}.x{fill:none;stroke:#999;stroke-dasharray:3}svg{background:#fff}"
    "@media(prefers-color-scheme:dark){svg{background:#1c1d20}text{fill:#eee}.g{fill:#aaa}.w{fill:#fff}.b{fill:#222}}"
)


def heat_map(matrix: LanguageMatrix, title: str) -> str:
    """The matrix as SVG: values from 0 (light) to 1 (dark), written in their cells too.

    The scale does not depend on the values, so that the maps of two evaluations can be laid side by side.

    Args:
        matrix: of values from 0 to 1.
        title: what is shown; also read out by screen readers.
    """
    side = CELL * len(matrix.languages)
    width, height = MARGIN + SIDE + side + MARGIN, TITLE + LABEL + side + LEGEND
    left, top = MARGIN + SIDE, TITLE + LABEL
    head = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{escape(title)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {head}><style>{STYLE}</style>',
        f'<text class="t" x="{MARGIN}" y="22">{escape(title)}</text>',
        f'<text class="g" x="{left}" y="{TITLE + 14}">passages in</text>',
        f'<text class="g" x="{MARGIN}" y="{top - 8}">questions</text>',
    ]
    for place, language in enumerate(matrix.languages):
        middle = (place + 0.5) * CELL
        parts.append(f'<text class="m" x="{left + middle:g}" y="{top - 8}">{escape(language)}</text>')
        parts.append(f'<text class="e" x="{left - 8}" y="{top + middle + 4:g}">{escape(language)}</text>')
    for row, query in enumerate(matrix.languages):
        for column, passage in enumerate(matrix.languages):
            corner = left + column * CELL, top + row * CELL
            parts.append(_cell(float(matrix.values[row, column]), f"{query}-{passage}", corner))
    legend = "0 is light, 1 is dark; dashed: not judged" if np.isnan(matrix.values).any() else "0 is light, 1 is dark"
    parts.append(f'<text class="g" x="{left}" y="{top + side + 20}">{legend}</text></svg>')
    return "".join(parts)


def _cell(value: float, label: str, corner: tuple[int, int]) -> str:
    x, y = corner
    box = f'x="{x + 1}" y="{y + 1}" width="{CELL - 2}" height="{CELL - 2}" rx="3"'
    if np.isnan(value):
        return f'<rect class="x" {box}><title>{escape(label)}: not judged</title></rect>'
    color = _color(value)
    ink = "b" if 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 115 else "w"
    text = f"{value:.2f}".removeprefix("0") if value < 0.995 else "1.0"
    return (
        f'<rect {box} fill="rgb{color}"><title>{escape(label)}: {value:.4f}</title></rect>'
        f'<text class="m n {ink}" x="{x + CELL / 2:g}" y="{y + CELL / 2 + 4:g}">{text}</text>'
    )


def _color(value: float) -> tuple[int, ...]:
    share = min(max(value, 0.0), 1.0)
    stops = [stop for stop, _ in SCALE]
    return tuple(round(float(np.interp(share, stops, [color[channel] for _, color in SCALE]))) for channel in range(3))
