"""Section with heat maps of language pairs: mAP by query language and passage language."""

from collections.abc import Sequence

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL
from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.rendering.document import (
    Block,
    Cell,
    Column,
    Figure,
    Fold,
    Heading,
    Panel,
    Section,
    Table,
    TextLine,
    anchor,
)
from hybrid_ir.reports.rendering.numerals import lower_is_better, measure_title, metric_title, share
from hybrid_ir.reports.rendering.plots import heat_map
from hybrid_ir.reports.sections.cells import value_cell
from hybrid_ir.reports.study import EvaluatedBenchmark, Study

Matrix = Sequence[Sequence[float | None]]


def heat(study: Study) -> Section:
    """For every benchmark, the heat map of the best arm, and those of the other arms folded."""
    blocks: list[Block] = []
    missing = []
    for benchmark in study.benchmarks:
        metric = next((name for name in benchmark.headline if f"/{CROSSLINGUAL}/" in name), None)
        if metric is None:
            missing.append(f"{benchmark.name} has no cross-lingual setting")
            continue
        hardest = [name for name in benchmark.headline if not lower_is_better(name)][-1]
        arms = [arm for arm in study.ranked(hardest) if study.estimate(arm, metric) is not None]
        if not arms:
            missing.append(f"no arm has cross-lingual results on {benchmark.name} in all of its runs")
            continue
        first, *others = arms
        blocks.extend([Heading(benchmark.name), _figure(study, benchmark, metric, first, hardest)])
        if others:
            figures = tuple(_figure(study, benchmark, metric, arm) for arm in others)
            blocks.append(Fold(f"The other arms on {benchmark.name}", figures))
    return Section("pairs", "Pairs of languages", tuple(blocks), tuple(missing))


def matrix_figure(
    name: str, title: str, caption: str, languages: Sequence[str], values: Matrix, columns: str
) -> Figure:
    """A matrix by query language as a heat map, with its numbers as a table."""
    svg = heat_map(name, title, languages, languages, values, share, "query language", columns)
    rows = tuple(
        TextLine((Cell(asked), *(value_cell(title, value) for value in line)))
        for asked, line in zip(languages, values, strict=True)
    )
    head = (Column("query language", numeric=False), *(Column(language, columns) for language in languages))
    return Figure(name, caption, (Panel(title, svg),), Table(f"The numbers of the plot: {title}.", head, rows))


def _figure(study: Study, benchmark: EvaluatedBenchmark, metric: str, arm: Arm, chosen_by: str | None = None) -> Figure:
    measure = measure_title(metric)
    own = f"{benchmark.name}/{MONOLINGUAL}/{metric.rpartition('/')[2]}"

    def value(asked: str, searched: str) -> float | None:
        return study.mean(arm, [f"{own}/{asked}" if asked == searched else f"{metric}/{asked}-{searched}"])

    values = [[value(asked, searched) for searched in benchmark.languages] for asked in benchmark.languages]
    best = f" This is the arm with the best {metric_title(chosen_by)}." if chosen_by and len(study.arms) > 1 else ""
    over = "; means over seeds" if arm.seeds > 1 else ""
    caption = (
        f"{measure} of {arm.label} on {benchmark.name}: query languages (rows) in the passages of one language "
        f"(columns); the diagonal is the monolingual setting{over}. Shades run from the lowest to the highest value."
        f"{best}"
    )
    name = anchor("pairs", benchmark.name, str(study.arms.index(arm) + 1))
    return matrix_figure(
        name, f"{measure} by pair of languages, {arm.label}", caption, benchmark.languages, values, "passage language"
    )
