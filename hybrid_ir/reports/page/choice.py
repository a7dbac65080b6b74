"""The arms, benchmarks and metrics of a study that a marker selects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property

from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.contributions import Contributions
from hybrid_ir.reports.page.markers import Marker
from hybrid_ir.reports.study import EvaluatedBenchmark, Study


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
