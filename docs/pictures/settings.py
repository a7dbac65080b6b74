"""Draws docs/pictures/settings.svg, what the three settings ask of a search: `python docs/pictures/settings.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_suffix(".svg")
QUESTION = "Wo liegt Ulm?"
TEXTS = {
    "de": ("Ulm liegt an der Donau.", "Köln liegt am Rhein.", "Bremen liegt an der Weser."),
    "en": ("Ulm lies on the Danube.", "Cologne lies on the Rhine.", "Bremen lies on the Weser."),
    "tr": ("Ulm, Tuna kıyısındadır.", "Köln, Ren kıyısındadır.", "Bremen, Weser kıyısındadır."),
}


class Panel(NamedTuple):
    """A setting, and a ranked list of it: the language and number of each text; number 0 is an answer."""

    title: str
    pool: str
    ranking: tuple[tuple[str, int], ...]


PANELS = (
    Panel("Monolingual", "passages in the language of the question", (("de", 0), ("de", 1), ("de", 2))),
    Panel("Cross-lingual", "passages in another language", (("en", 0), ("en", 2), ("en", 1))),
    Panel(
        "Multilingual, without language bias",
        "one pool of all languages; three answers",
        (("en", 0), ("de", 0), ("tr", 0), ("de", 1), ("tr", 2), ("en", 1)),
    ),
    Panel(
        "Multilingual, with language bias",
        "the same pool; German first, whatever it says",
        (("de", 0), ("de", 1), ("de", 2), ("en", 0), ("en", 1), ("tr", 0)),
    ),
)
TITLE = "The three settings: what is searched, and what counts as found"
WIDTH, GAP, ROW, TOP = 300, 20, 32, 66
STYLE = """
  .page { fill: #ffffff } .text { fill: #1f2328; font: 14px sans-serif } .head { font-weight: bold }
  .note { font-size: 12.5px } .middle { text-anchor: middle }
  .card { fill: #eceff3 } .answer { fill: #8fd19e } .de { fill: #cfe0ff } .en { fill: #ffd98a } .tr { fill: #e3d0f5 }
  rect { stroke: #57606a; stroke-width: 1 } .page { stroke: none }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .text { fill: #e6edf3 } .card { fill: #21262d } .answer { fill: #23633a }
    .de { fill: #1f4080 } .en { fill: #7a5b12 } .tr { fill: #53307a } rect { stroke: #8b949e }
  }
"""


def answers(panel: Panel) -> list[int]:
    """The ranks of the answers."""
    return [rank for rank, (_, number) in enumerate(panel.ranking, start=1) if number == 0]


def summary(panel: Panel) -> str:
    """What the measures say of a list."""
    ranks = answers(panel)
    if len(ranks) == 1:
        return f"answer at rank {ranks[0]}"
    return f"answers at ranks {', '.join(map(str, ranks))}: rank distance {ranks[-1] - ranks[0]}"


def draw() -> str:
    """The picture."""
    upper = TOP + ROW * max(len(panel.ranking) for panel in PANELS[:2]) + 44
    lower = TOP + ROW * max(len(panel.ranking) for panel in PANELS[2:]) + 44
    width, height = 2 * WIDTH + 3 * GAP, upper + lower + 44
    body = [
        f'<rect class="page" width="{width}" height="{height}"/>',
        _text(GAP, 30, f"The question, in German: “{QUESTION}”", "head"),
    ]
    for number, panel in enumerate(PANELS):
        body += _panel(panel, GAP + number % 2 * (WIDTH + GAP), 44 + number // 2 * upper)
    described = " ".join(f"{panel.title}: {panel.pool}; {summary(panel)}." for panel in PANELS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title description">\n<title id="title">{TITLE}</title>\n'
        f'<desc id="description">{described}</desc>\n<style>{STYLE}</style>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _panel(panel: Panel, left: float, top: float) -> Iterator[str]:
    yield _text(left, top + 22, panel.title, "head")
    yield _text(left, top + 44, panel.pool, "note")
    for rank, (language, number) in enumerate(panel.ranking, start=1):
        row = top + 54 + (rank - 1) * ROW
        yield _text(left, row + 19, f"{rank}")
        yield _box(language, left + 18, row, 34)
        yield _text(left + 35, row + 19, language, "middle")
        yield _box("card" if number else "answer", left + 52, row, WIDTH - 52)
        yield _text(left + 62, row + 19, TEXTS[language][number] + ("" if number else " ✓"))
    yield _text(left, top + 54 + len(panel.ranking) * ROW + 18, summary(panel), "note")


def _box(kind: str, left: float, top: float, width: float) -> str:
    return f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{width:g}" height="{ROW - 4}"/>'


def _text(left: float, top: float, words: str, kind: str = "") -> str:
    return f'<text class="{f"text {kind}".strip()}" x="{left:g}" y="{top:g}">{words}</text>'


if __name__ == "__main__":
    FILE.write_text(draw(), encoding="utf-8")
