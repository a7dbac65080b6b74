"""Table cells and captions shared by all sections."""

from collections.abc import Sequence

from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.paper import PublishedSystem
from hybrid_ir.reports.rendering.document import Cell, TextLine
from hybrid_ir.reports.rendering.numerals import number
from hybrid_ir.reports.study import Estimate, Study


def name_cell(study: Study, arm: Arm) -> Cell:
    """The first cell of an arm's row; sorted in the order of the arms."""
    return Cell(arm.label, float(study.arms.index(arm)))


def paper_cell(study: Study, system: PublishedSystem, position: int) -> Cell:
    """The first cell of a published system's row; sorted behind the arms."""
    return Cell(system.label, float(len(study.arms) + position))


def value_cell(metric: str, value: float | None, best: bool = False) -> Cell:
    """A single number."""
    return Cell(number(metric, value), value, best)


def estimate_cell(metric: str, estimate: Estimate | None, best: bool = False) -> Cell:
    """A mean over seeds, with its standard deviation if there are several."""
    if estimate is None:
        return value_cell(metric, None)
    spread = "" if estimate.spread is None else f" ± {number(metric, estimate.spread)}"
    return Cell(number(metric, estimate.mean) + spread, estimate.mean, best)


def is_best(study: Study, arm: Arm, metric: str) -> bool:
    """Whether an arm has the best value of a metric among several arms; compared as rounded."""
    ranked = study.ranked(metric)
    if len(ranked) < 2 or arm not in ranked:
        return False
    best, own = study.estimate(ranked[0], metric), study.estimate(arm, metric)
    return best is not None and own is not None and number(metric, best.mean) == number(metric, own.mean)


def with_note(study: Study, caption: str, rows: Sequence[TextLine], spread: bool = True) -> str:
    """A caption with the meaning of ± and bold, and the source of quoted rows."""
    parts = [caption]
    if any(arm.seeds > 1 for arm in study.arms):
        parts.append("Mean ± standard deviation over seeds." if spread else "Means over seeds.")
    if any(cell.best for row in rows for cell in row.cells):
        parts.append("Bold: the best arm.")
    if any(row.quoted for row in rows):
        parts.append(
            "Rows marked “paper” are as published by Elmahdy, Lin and Ahmad (arXiv:2408.10536), whose models were "
            "trained on other data; hybrid there is with α\u00a0=\u00a0.5."
        )
    return " ".join(parts)
