"""Section with alpha curves: every headline metric against the share of monolingual batches."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hybrid_ir.reports.arms import Arm, identity, schedule
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
from hybrid_ir.reports.rendering.numerals import lower_is_better, metric_title, number, share, span, tick
from hybrid_ir.reports.rendering.plots import Axis, Point, Series, line_plot
from hybrid_ir.reports.sections.cells import estimate_cell
from hybrid_ir.reports.study import EvaluatedBenchmark, Study

Family = list[tuple[float, Arm]]


def alpha(study: Study) -> Section:
    """A figure for each benchmark and a panel for each metric; a line connects arms that differ only in alpha."""
    families = alpha_families(study.arms)
    if not families:
        reason = "there are no two arms that differ by the mixing ratio alone"
        return Section("alpha", "The mixing ratio", (), (reason,))
    blocks: list[Block] = []
    missing = []
    for benchmark in study.benchmarks:
        figure = _figure(study, benchmark, families)
        if figure is not None:
            blocks.extend([Heading(benchmark.name), figure])
        else:
            missing.append(
                "of the arms that differ by the mixing ratio alone, none has headline measures of "
                f"{benchmark.name} in all of its runs"
            )
    return Section("alpha", "The mixing ratio", tuple(blocks), tuple(missing))


def alpha_families(arms: Sequence[Arm]) -> dict[str, Family]:
    """Name -> arms by alpha, for every set of arms that differ only in alpha and have at least two values of it.

    `mono` is at 1 and `cross` at 0 unless a hybrid arm is there: their batches are of the same kinds.
    """
    found: dict[str, dict[float, Arm]] = {}
    for arm in sorted(arms, key=lambda arm: arm.sampler != "hybrid"):
        if arm.alpha is not None:
            rest = json.dumps(_but_alpha(identity(arm.runs[0])), sort_keys=True)
            found.setdefault(rest, {}).setdefault(arm.alpha, arm)
    families = [sorted(by_alpha.items()) for by_alpha in found.values() if len(by_alpha) > 1]
    parts = [(family[0][1].backbone, family[0][1].data, _way(family[0][1])) for family in families]
    varying = [position for position in range(3) if position == 0 or len({part[position] for part in parts}) > 1]
    names = [" · ".join(part[position] for position in varying if part[position]) for part in parts]
    if len(set(names)) < len(names):
        names = [f"{name} ({position + 1})" for position, name in enumerate(names)]
    return dict(zip(names, families, strict=True))


def _but_alpha(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the settings of batch kinds and their ratio."""
    sampler = config.get("sampler") or {}
    return {**config, "sampler": {key: sampler.get(key) for key in ("languages", "weights", "schedule")}}


def _way(arm: Arm) -> str:
    values, shape = schedule(arm.config)
    return f"α from {', '.join(share(value, least=2) for value in values)}, {shape}" if values else ""


def _figure(study: Study, benchmark: EvaluatedBenchmark, families: Mapping[str, Family]) -> Figure | None:
    panels, columns, rows = [], [], []
    points = [(name, value, arm) for name, family in families.items() for value, arm in family]
    metrics = [m for m in benchmark.headline if any(study.estimate(arm, m) for _, _, arm in points)]
    for metric in metrics:
        title = metric_title(metric)
        name = anchor("alpha", benchmark.name, title)
        lines = [_series(study, metric, *named, position) for position, named in enumerate(families.items())]
        y = Axis(title, partial(number, metric), partial(tick, metric))
        ticks = tuple(sorted({value for _, value, _ in points}))
        x = Axis("α, share of monolingual batches", partial(share, least=2), ticks=ticks)
        svg = line_plot(name, f"{title} on {benchmark.name}", [line for line in lines if line.points], x, y)
        panels.append(Panel(title + (" (lower is better)" if lower_is_better(metric) else ""), svg))
        columns.extend([Column("mean", title), Column("95% interval", title)])
    if not panels:
        return None
    for name, value, arm in points:
        cells = []
        for metric in metrics:
            ends = study.interval(arm, metric)
            cells.extend(
                [estimate_cell(metric, study.estimate(arm, metric)), Cell(span(metric, ends), ends and ends[0])]
            )
        head = (Cell(name), Cell(share(value, least=2), value), Cell(str(arm.seeds), arm.seeds))
        rows.append(TextLine((*head, *cells)))
    data = Table(
        f"The numbers of the plots on {benchmark.name}.",
        (Column("line", numeric=False), Column("α"), Column("runs"), *columns),
        tuple(rows),
    )
    legend = tuple(families) if len(families) > 1 else ()
    return Figure(anchor("alpha", benchmark.name), _caption(study, benchmark, families), tuple(panels), data, legend)


def _series(study: Study, metric: str, name: str, family: Family, position: int) -> Series:
    points = []
    for value, arm in family:
        estimate = study.estimate(arm, metric)
        if estimate is not None:
            low, high = study.interval(arm, metric) or (estimate.mean, estimate.mean)
            points.append(Point(value, estimate.mean, low, high))
    return Series(name, tuple(points), position)


def _caption(study: Study, benchmark: EvaluatedBenchmark, families: Mapping[str, Family]) -> str:
    points = [point for family in families.values() for point in family]
    banded = [bool(study.contributions[arm.label]) for _, arm in points]
    parts = [f"Headline measures on {benchmark.name} against α; points are means over seeds."]
    if any(banded):
        several = any(arm.seeds > 1 for _, arm in points)
        over = "questions and seeds" if several else "questions (there is one seed an arm)"
        parts.append(
            f"Bands: 95% percentile bootstrap intervals over {over}, {study.samples:,} samples, each point by itself."
        )
    if not all(banded):
        parts.append("Where there is no band, values of single queries were not kept.")
    if any(schedule(arm.config)[0] for _, arm in points):
        parts.append("Where α has a schedule, it stands at the value that it ends at.")
    others = [f"{arm.sampler} at {share(value, least=2)}" for value, arm in points if arm.sampler != "hybrid"]
    if others:
        parts.append(f"Of other samplers: {', '.join(dict.fromkeys(others))}.")
    return " ".join([*parts, "Vertical axes need not start at zero."])
