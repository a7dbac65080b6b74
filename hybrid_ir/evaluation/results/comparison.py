"""Comparison of two runs: the difference in each metric, with confidence intervals and significance tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.measures.significance import Comparison, Difference, PairedValues, compare, holm
from hybrid_ir.evaluation.results.console import format_value, markdown_table
from hybrid_ir.evaluation.results.history import PER_QUERY
from hybrid_ir.evaluation.results.per_query import StoredValues, read_per_query
from hybrid_ir.evaluation.results.result import Row, SettingResult

MARKS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
LEVEL = MARKS[-1][0]
COLUMNS = (
    "metric", "difference", "95% interval", "p", "p, t-test", "query groups higher / equal / lower",
    "settings higher / open / lower",
)  # fmt: skip


@dataclass(frozen=True)
class ComparedMetric:
    """The difference of two runs in a macro average and in its settings.

    Attributes:
        name: name of the metric (`xquad_r/multilingual/map`).
        settings: labels of its settings (`de`, `de-en`).
        comparison: results of the tests.
        p: p-value of the macro difference, adjusted for the number of metrics compared.
        setting_p: p-value of each setting, adjusted for the number of settings of this metric.
    """

    name: str
    settings: tuple[str, ...]
    comparison: Comparison
    p: float
    setting_p: tuple[float, ...]


def compare_runs(first: Path, second: Path, samples: int = 10_000, seed: int = 0) -> list[ComparedMetric] | None:
    """Test the metrics that both runs have; None if one of them has no per-query values.

    Raises:
        ValueError: the runs have different benchmarks of the same name, or no metric in common.
    """
    if not all((run / PER_QUERY).exists() for run in (first, second)):
        return None
    values = read_per_query(first / PER_QUERY), read_per_query(second / PER_QUERY)
    pairs = _pair(first, second, *values)
    if not pairs:
        raise ValueError(f"{first} and {second} have no metric in common; they cannot be compared")
    found = {name: compare([pair for _, pair in members], samples, seed) for name, members in pairs.items()}
    adjusted = holm([comparison.macro.p for comparison in found.values()])
    return [
        ComparedMetric(
            name=name,
            settings=tuple(label for label, _ in pairs[name]),
            comparison=comparison,
            p=p,
            setting_p=tuple(holm([difference.p for difference in comparison.settings])),
        )
        for (name, comparison), p in zip(found.items(), adjusted, strict=True)
    ]


def comparison_markdown(
    first: Path, second: Path, metrics: Sequence[ComparedMetric] | None, with_settings: bool = False
) -> str:
    """The differences as a Markdown table, with an explanation."""
    if metrics is None:
        missing = ", ".join(str(run / PER_QUERY) for run in (first, second) if not (run / PER_QUERY).exists())
        return f"Differences were not tested: there is no {missing}."
    rows: list[tuple[str, ...]] = []
    for metric in metrics:
        verdicts = [_verdict(*pair) for pair in zip(metric.comparison.settings, metric.setting_p, strict=True)]
        settings = " / ".join(str(verdicts.count(sign)) for sign in (1, 0, -1))
        rows.append(_row(metric.name, metric.comparison.macro, metric.p, settings))
        if with_settings:
            found = zip(metric.settings, metric.comparison.settings, metric.setting_p, strict=True)
            rows.extend(_row(f"{metric.name}/{label}", difference, p, "") for label, difference, p in found)
    note = (
        f"Differences are {second} minus {first}; a query group is a question with its translations. Interval: "
        "percentile bootstrap over query groups. p: paired randomisation test, Holm-adjusted over the "
        f"{len(metrics)} metrics, and for settings over the settings of a metric; "
        + ", ".join(f"{mark} p < {level}" for level, mark in reversed(MARKS))
        + f". Settings count as higher or lower where their adjusted p is below {LEVEL}. The t-test is not adjusted."
    )
    return f"{markdown_table(COLUMNS, rows)}\n\n{note}"


def _pair(first: Path, second: Path, a: StoredValues, b: StoredValues) -> dict[str, list[tuple[str, PairedValues]]]:
    """Macro metric -> the label and values of every setting that both runs have."""
    pairs: dict[str, list[tuple[str, PairedValues]]] = {}
    for benchmark in a.settings:
        if benchmark not in b.settings:
            continue
        if a.fingerprints[benchmark] != b.fingerprints[benchmark]:
            raise ValueError(
                f"{first} and {second} were evaluated on different data as {benchmark}: the fingerprints of its texts "
                "and qrels differ. Evaluate both on the same data"
            )
        others = {entry.setting: entry for entry in b.settings[benchmark]}
        for entry in a.settings[benchmark]:
            other = others.get(entry.setting)
            for measure in entry.values:
                if other is not None and measure in other.values:
                    row = Row(benchmark, entry.setting, measure, value=np.nan, queries=0)
                    values = _values(entry, other, measure)
                    pairs.setdefault(row.group, []).append((entry.setting.label, values))
    return pairs


def _values(entry: SettingResult, other: SettingResult, measure: Measure) -> PairedValues:
    assert entry.queries == other.queries, "equal fingerprints, so equal queries in equal order"
    a, b = entry.values[measure], other.values[measure]
    both: NDArray[np.bool_] = ~np.isnan(a) & ~np.isnan(b)
    return PairedValues(entry.query_groups[both], a[both], b[both])


def _verdict(difference: Difference, p: float) -> int:
    return int(np.sign(difference.value)) if p < LEVEL else 0


def _row(name: str, difference: Difference, p: float, settings: str) -> tuple[str, ...]:
    mark = next((mark for level, mark in MARKS if p < level), "")
    low, high = (_signed(name, end) for end in (difference.low, difference.high))
    outcome = f"{difference.wins} / {difference.ties} / {difference.losses}"
    value = f"{_signed(name, difference.value)}{mark}"
    return name, value, f"{low} to {high}", _chance(p), _chance(difference.p_t), outcome, settings


def _chance(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def _signed(name: str, value: float) -> str:
    return f"{'-' if value < 0 else '+'}{format_value(name, abs(value))}"
