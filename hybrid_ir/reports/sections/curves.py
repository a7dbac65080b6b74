"""Section with learning curves: headline metrics over the epochs of training."""

from collections import defaultdict
from functools import partial
from statistics import fmean

from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.rendering.document import (
    Block,
    Cell,
    Column,
    Figure,
    Heading,
    Panel,
    Section,
    Table,
    TextLine,
    anchor,
)
from hybrid_ir.reports.rendering.numerals import lower_is_better, metric_title, number, tick
from hybrid_ir.reports.rendering.plots import Axis, Point, Series, line_plot
from hybrid_ir.reports.sections.cells import value_cell
from hybrid_ir.reports.study import EvaluatedBenchmark, Study

Curve = dict[float, list[float]]  # epoch -> a value for each seed


def curves(study: Study) -> Section:
    """A figure for each benchmark, with a panel for each metric and a line for each arm."""
    blocks: list[Block] = []
    for benchmark in study.benchmarks:
        figure = _figure(study, benchmark)
        if figure is not None:
            blocks.extend([Heading(benchmark.name), figure])
    missing = () if blocks else ("no run was evaluated more than once during training",)
    return Section("curves", "Learning curves", tuple(blocks), missing)


def _figure(study: Study, benchmark: EvaluatedBenchmark) -> Figure | None:
    drawn = {
        metric: {arm.label: curve for arm in study.arms if len(curve := _curve(arm, metric)) > 1}
        for metric in benchmark.headline
    }
    labels = [arm.label for arm in study.arms if any(arm.label in by_arm for by_arm in drawn.values())]
    if not labels:
        return None
    x = Axis("epoch", lambda value: f"{value:g}")
    panels = []
    for metric, by_arm in drawn.items():
        title = metric_title(metric)
        lines = [
            Series(
                label,
                tuple(Point(epoch, fmean(values), min(values), max(values)) for epoch, values in by_arm[label].items()),
                position,
            )
            for position, label in enumerate(labels)
            if label in by_arm
        ]
        if lines:
            y = Axis(title, partial(number, metric), partial(tick, metric))
            svg = line_plot(anchor("curves", benchmark.name, title), f"{title} by epoch", lines, x, y)
            panels.append(Panel(title + (" (lower is better)" if lower_is_better(metric) else ""), svg))
    rows = []
    for position, label in enumerate(labels):
        epochs = sorted({epoch for by_arm in drawn.values() for epoch in by_arm.get(label, {})})
        for epoch in epochs:
            found = (by_arm.get(label, {}).get(epoch) for by_arm in drawn.values())
            cells = (
                value_cell(metric, None if values is None else fmean(values))
                for metric, values in zip(drawn, found, strict=True)
            )
            rows.append(TextLine((Cell(label, float(position)), Cell(f"{epoch:g}", epoch), *cells)))
    columns = (Column("arm", numeric=False), Column("epoch"), *(Column(metric_title(metric)) for metric in drawn))
    seeds = " Bands run from the lowest to the highest seed." if any(arm.seeds > 1 for arm in study.arms) else ""
    return Figure(
        anchor("curves", benchmark.name),
        f"Headline measures on {benchmark.name} by epochs of training; epoch 0 is before training.{seeds}",
        tuple(panels),
        Table(f"The numbers of the plots on {benchmark.name}, means over seeds.", columns, tuple(rows)),
        tuple(labels),
    )


def _curve(arm: Arm, metric: str) -> Curve:
    """Values by epoch, for the epochs after which every run of the arm was evaluated."""
    curve: Curve = defaultdict(list)
    for run in arm.runs:
        by_epoch = {
            float(stored.provenance["epoch"]): stored.metrics[metric]  # the newest, if an epoch has several
            for stored in run.history
            if metric in stored.metrics and "epoch" in stored.provenance
        }
        for epoch, value in by_epoch.items():
            curve[epoch].append(value)
    return {epoch: values for epoch, values in sorted(curve.items()) if len(values) == arm.seeds}
