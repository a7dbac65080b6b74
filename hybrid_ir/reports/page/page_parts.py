"""Marked parts of a page: what a marker selects of a study, and its tables, report sections and single numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property

from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.build_report import SECTIONS
from hybrid_ir.reports.contributions import Contributions
from hybrid_ir.reports.differences import arm_differences, mean_difference
from hybrid_ir.reports.page.markers import Marker
from hybrid_ir.reports.rendering.document import Block, Cell, Column, Heading, Table, TextLine
from hybrid_ir.reports.rendering.numerals import metric_title, number, span
from hybrid_ir.reports.sections.cells import estimate_cell, is_best, name_cell, with_note
from hybrid_ir.reports.study import Estimate, EvaluatedBenchmark, Study


class PartOfStudy(Study):
    """A study of some arms and benchmarks of another; its tests are adjusted over these only.

    Args:
        whole: the full study.
        arms: arms of `whole`, in the order of tables.
        benchmarks: benchmarks of `whole`, with the macro metrics to use.
    """

    def __init__(self, whole: Study, arms: Sequence[Arm], benchmarks: Sequence[EvaluatedBenchmark]) -> None:
        super().__init__((), whole.samples, whole.seed)
        self.arms, self._whole, self._benchmarks = list(arms), whole, list(benchmarks)

    @cached_property
    def benchmarks(self) -> list[EvaluatedBenchmark]:
        return self._benchmarks

    @cached_property
    def contributions(self) -> dict[str, dict[str, Contributions]]:
        return {arm.label: self._whole.contributions[arm.label] for arm in self.arms}


def chosen_part(marker: Marker, study: Study) -> PartOfStudy:
    """The part of a study that `benchmark=`, `metrics=` and `arms=` select.

    Raises:
        InputError: no run has a name; the message suggests the nearest.
    """
    metrics = marker.listed("metrics")
    benchmarks = []
    for benchmark in chosen_benchmarks(marker, study):
        kept = tuple(name for name in benchmark.macro if not metrics or _short(name) in metrics)
        benchmarks.append(replace(benchmark, macro=kept))
    known = {_short(name): None for benchmark in chosen_benchmarks(marker, study) for name in benchmark.macro}
    for metric in metrics:
        marker.chosen("metric", metric, known)
    return PartOfStudy(study, chosen_arms(marker, study), [each for each in benchmarks if each.macro])


def chosen_benchmarks(marker: Marker, study: Study) -> list[EvaluatedBenchmark]:
    """The benchmarks of `benchmark=`, in its order; all without it."""
    by_name = {benchmark.name: benchmark for benchmark in study.benchmarks}
    names = marker.listed("benchmark") or list(by_name)
    return [by_name[marker.chosen("benchmark", name, by_name)] for name in names]


def chosen_arms(marker: Marker, study: Study, key: str = "arms") -> list[Arm]:
    """The arms whose labels `arms=` names or matches (`hybrid*`), in its order; all without it."""
    by_label = {_plain(arm.label): arm for arm in study.arms}
    found: dict[str, Arm] = {}
    for pattern in marker.listed(key) or by_label:
        matching = {label: arm for label, arm in by_label.items() if label == pattern or fnmatchcase(label, pattern)}
        found.update(matching or {pattern: by_label[marker.chosen("arm", pattern, by_label)]})
    return list(found.values())


def chosen_arm(marker: Marker, study: Study, key: str = "arm") -> Arm:
    """The arm that `arm=` names; it may be left out if there is only one."""
    if not marker.options.get(key) and len(study.arms) == 1:
        return study.arms[0]
    by_label = {_plain(arm.label): arm for arm in study.arms}
    return by_label[marker.chosen("arm", marker.needed(key), by_label)]


def metric_of(marker: Marker, study: Study, benchmark: EvaluatedBenchmark, name: str) -> str:
    """The full name of a metric, macro or of one setting, that some run has."""
    metrics: Mapping[str, object] = {
        _short(metric): None
        for arm in study.arms
        for run in arm.runs
        for metric in run.results.metrics
        if metric.startswith(f"{benchmark.name}/")
    }
    return f"{benchmark.name}/{marker.chosen('metric', name, metrics)}"


def _short(metric: str) -> str:
    """A metric's name without its benchmark."""
    return metric.partition("/")[2]


def _plain(label: str) -> str:
    """A label as typed by users, with plain spaces."""
    return label.replace("\u00a0", " ")


BY_NAME = {section.__name__: section for section in SECTIONS}
SHOWN = {"value": None, "spread": None, "interval": None}
BEFORE = "before training"


def section_blocks(marker: Marker, study: Study) -> list[Block]:
    """A section of the report on a part of the study; without headings if there is only one benchmark."""
    part = chosen_part(marker, study)
    section = BY_NAME[marker.chosen("section", marker.needed("section"), BY_NAME)](part)
    if not section.blocks:
        raise marker.fault(f"“{section.title}” has nothing to show: {'; '.join(section.missing)}")
    return [block for block in section.blocks if len(part.benchmarks) > 1 or not isinstance(block, Heading)]


def metrics_table(marker: Marker, study: Study) -> Table:
    """Arms as rows, chosen metrics as columns: means ± standard deviations over seeds, and intervals on request."""
    benchmarks, intervals = chosen_benchmarks(marker, study), marker.switch("interval")
    marker.needed("metrics")
    names = [metric_of(marker, study, each, name) for each in benchmarks for name in marker.listed("metrics")]
    part = PartOfStudy(study, chosen_arms(marker, study), benchmarks)
    columns = [Column("", numeric=False)]
    for name in names:
        group = name.partition("/")[0] if len(benchmarks) > 1 else ""
        columns.extend([Column(_title(name, benchmarks), group), *([Column("95% interval", group)] * intervals)])
    rows = list(_rows_before(marker, part, names, intervals)) if marker.switch("before") else []
    for arm in part.arms:
        cells = [name_cell(part, arm)]
        for name in names:
            cells.append(estimate_cell(name, part.estimate(arm, name), is_best(part, arm, name)))
            if intervals:
                cells.append(Cell(span(name, part.interval(arm, name))))
        rows.append(TextLine(tuple(cells)))
    caption = f"On {' and '.join(each.name for each in benchmarks)}."
    if intervals:
        over = "questions and seeds" if any(arm.seeds > 1 for arm in part.arms) else "questions (one seed an arm)"
        caption += f" Intervals: percentile bootstrap over {over}, {part.samples:,} samples."
    return Table(with_note(part, caption, rows), tuple(columns), tuple(rows))


def single_value(marker: Marker, study: Study) -> str:
    """A number: the mean, spread over seeds or interval of an arm, or of a difference of two arms with `minus=`."""
    benchmarks = chosen_benchmarks(marker, study)
    if len(benchmarks) != 1:
        raise marker.fault(f"benchmark= is missing; there is {', '.join(each.name for each in benchmarks)}")
    arm, name = chosen_arm(marker, study), metric_of(marker, study, benchmarks[0], marker.needed("metric"))
    show = marker.chosen("show", marker.options.get("show", "value"), SHOWN)
    if marker.options.get("minus"):
        return _difference(marker, study, arm, name, show)
    if show == "interval":
        if marker.switch("before"):
            raise marker.fault("there is no interval before training: values of single queries are kept at the end")
        return _present(marker, span(name, study.interval(arm, name)))
    found = study.before(arm, name) if marker.switch("before") else study.estimate(arm, name)
    return _present(marker, number(name, (found.spread if show == "spread" else found.mean) if found else None))


def _difference(marker: Marker, study: Study, arm: Arm, name: str, show: str) -> str:
    other = chosen_arm(marker, study, "minus")
    if show == "spread" or marker.switch("before"):
        raise marker.fault("a difference has a value and an interval alone")
    if show == "interval":
        found = arm_differences([other, arm], study.contributions, (name,), study.samples, study.seed)
        return _present(
            marker, span(name, (found[0].difference.low, found[0].difference.high) if found else None, signed=True)
        )
    return _present(marker, number(name, mean_difference(other, arm, name), signed=True))


def _rows_before(marker: Marker, part: Study, names: list[str], intervals: bool) -> Iterator[TextLine]:
    """Results before training: one row if all arms start from the same model, otherwise one for each arm."""
    rows: dict[str, tuple[Cell, ...]] = {}
    for arm in part.arms:
        found = [part.before(arm, name) for name in names]
        if any(found):
            rows[arm.label] = tuple(
                cell for pair in zip(names, found, strict=True) for cell in _cells(*pair, intervals)
            )
    if not rows:
        raise marker.fault("before=yes: no run was evaluated before its training by these metrics")
    alike = len({tuple(cell.text for cell in cells) for cells in rows.values()}) == 1
    for label, cells in list(rows.items())[: 1 if alike else None]:
        yield TextLine((Cell(BEFORE if alike else f"{BEFORE}: {label}"), *cells))


def _cells(name: str, found: Estimate | None, intervals: bool) -> list[Cell]:
    return [estimate_cell(name, found), *([Cell("–")] * intervals)]


def _title(name: str, benchmarks: list[EvaluatedBenchmark]) -> str:
    """A column's heading; for a single setting with its languages: `multilingual mAP, de`."""
    if any(name in benchmark.macro for benchmark in benchmarks):
        return metric_title(name)
    macro, _, label = name.rpartition("/")
    return f"{metric_title(macro)}, {label}"


def _present(marker: Marker, text: str) -> str:
    if text == "–":
        raise marker.fault("the runs do not have this number")
    return text
