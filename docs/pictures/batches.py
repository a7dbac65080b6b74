"""Draws docs/pictures/batches.svg from real plans: `python docs/pictures/batches.py`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import Batch, BatchPlan
from hybrid_ir.sampling.policy import CROSSLINGUAL, MIXED, MONOLINGUAL, BatchPolicy, Hybrid, Single

FILE = Path(__file__).with_suffix(".svg")
LANGUAGES = ("ar", "de", "en", "th")
EXAMPLES, ROWS, SEED, BATCHES = 8, 4, 3, 24
OWN, NEGATIVE, MASKED = "own", "negative", "masked"
SIGNS = {OWN: "✓", NEGATIVE: "−", MASKED: "○"}
LEGEND = {
    OWN: "its own passage, to be ranked first",
    NEGATIVE: "a negative, to be ranked below it",
    MASKED: "the same passage as its own, in whatever language: masked, not in the sum",
}
PANELS: dict[str, BatchPolicy] = {
    "monolingual (mono, hybrid)": Single(MONOLINGUAL, "mono"),
    "cross-lingual (cross, hybrid)": Single(CROSSLINGUAL, "cross"),
    "mixed (mixed)": Single(MIXED, "mixed"),
    "English alone (english)": Single(MONOLINGUAL, "english", ("en",)),
}
TITLE = "Which passages are negatives of which questions, by kind of batch"
DESCRIPTION = (
    "Four grids of four questions by four passages. In a monolingual batch all are in one language. In a cross-lingual "
    "batch each question and its own passage are in two different languages. In a mixed batch each question and its "
    "own passage share a language, and most other passages are in other languages. In an English batch all are in "
    "English. Every other passage of the batch is a negative, but for those with the content of the question's own "
    "passage, which are masked. Below, 24 batches of the hybrid sampler in their order: each is monolingual in one "
    "language, or cross-lingual, at equal chances."
)
CELL, LABEL, GAP, TOP = 38, 56, 56, 24
STYLE = """
  .page { fill: #ffffff } .text { fill: #1f2328; font: 13px sans-serif } .head { font-weight: bold }
  .sign { font: 17px sans-serif; text-anchor: middle } .middle { text-anchor: middle } .right { text-anchor: end }
  .own { fill: #8fd19e } .negative { fill: #eceff3 } .masked { fill: #ffd98a } .crosslingual { fill: #cfe0ff }
  .monolingual { fill: #e3d0f5 } rect { stroke: #57606a; stroke-width: 1 } .page { stroke: none }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .text { fill: #e6edf3 } .own { fill: #23633a } .negative { fill: #21262d }
    .masked { fill: #7a5b12 } .crosslingual { fill: #1f4080 } .monolingual { fill: #53307a }
    rect { stroke: #8b949e }
  }
"""


def plan(policy: BatchPolicy) -> BatchPlan:
    """Of a corpus in which examples 0 and 1, 2 and 3, ... have the same passage."""
    everything = np.array([[(1 << len(LANGUAGES)) - 1] * 2], dtype=np.uint64)
    return BatchPlan(
        [Coverage("world", LANGUAGES, EXAMPLES, everything)], policy, ROWS, SEED, batches_per_epoch=BATCHES
    )


def relations(batch: Batch) -> list[list[str]]:
    """What each passage (column) is to each question (row), by the rule of `InfoNCE`."""
    content = batch.examples // 2
    return [
        [OWN if row == column else MASKED if content[row] == content[column] else NEGATIVE for column in range(ROWS)]
        for row in range(ROWS)
    ]


def shown(policy: BatchPolicy) -> Batch:
    """The first batch of a plan with one masked pair."""
    epoch = plan(policy).epoch(0)
    batches = (epoch[number] for number in range(BATCHES))
    return next(batch for batch in batches if sum(row.count(MASKED) for row in relations(batch)) == 2)


def draw() -> str:
    """The picture."""
    width, height = 2 * (LABEL + ROWS * CELL) + 3 * GAP, 680
    panel = 34 + ROWS * CELL + 40
    body = [f'<rect class="page" width="{width}" height="{height}"/>']
    for number, (title, policy) in enumerate(PANELS.items()):
        left = GAP + number % 2 * (LABEL + ROWS * CELL + GAP)
        body += _panel(title, shown(policy), left, TOP + number // 2 * panel)
    below = TOP + 2 * panel
    for number, (relation, words) in enumerate(LEGEND.items()):
        body += _box(relation, GAP, below + 26 * number, 20, SIGNS[relation])
        body.append(_text(GAP + 30, below + 26 * number + 15, words))
    body += _strip(below + 105, width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title description">\n<title id="title">{TITLE}</title>\n'
        f'<desc id="description">{DESCRIPTION}</desc>\n<style>{STYLE}</style>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _panel(title: str, batch: Batch, left: float, top: float) -> Iterator[str]:
    yield _text(left, top, title, "head")
    asked, told = _names("q", batch, batch.question_languages), _names("p", batch, batch.passage_languages)
    for column, name in enumerate(told):
        yield _text(left + LABEL + (column + 0.5) * CELL, top + 24, name, "middle")
    for row, name in enumerate(asked):
        yield _text(left + LABEL - 6, top + 34 + (row + 0.62) * CELL, name, "right")
        for column, relation in enumerate(relations(batch)[row]):
            yield from _box(relation, left + LABEL + column * CELL, top + 34 + row * CELL, CELL, SIGNS[relation])


def _strip(top: float, width: float) -> Iterator[str]:
    epoch = plan(Hybrid(0.5)).epoch(0)
    step = (width - 2 * GAP) / (BATCHES / 2)
    yield _text(GAP, top, "hybrid over time, alpha = 0.5: each batch draws its kind (×: cross-lingual)", "head")
    for number in range(BATCHES):
        batch = epoch[number]
        left, line = GAP + number % (BATCHES // 2) * step, number // (BATCHES // 2)
        yield from _box(batch.kind, left, top + 12 + 34 * line, step - 4, batch.language or "×", 26)


def _names(side: str, batch: Batch, languages: Sequence[int]) -> list[str]:
    return [f"{side}{example} {LANGUAGES[code]}" for example, code in zip(batch.examples, languages, strict=True)]


def _box(kind: str, left: float, top: float, width: float, sign: str, height: float | None = None) -> Iterator[str]:
    height = width if height is None else height
    yield f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}"/>'
    small = "sign" if len(sign) == 1 else "middle"
    yield _text(left + width / 2, top + height / 2 + (6 if small == "sign" else 4.5), sign, small)


def _text(left: float, top: float, words: str, kind: str = "") -> str:
    return f'<text class="{f"text {kind}".strip()}" x="{left:g}" y="{top:g}">{words}</text>'


if __name__ == "__main__":
    FILE.write_text(draw(), encoding="utf-8")
