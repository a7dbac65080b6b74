"""Significance tests between all pairs of arms on the headline metrics of a benchmark, as one family of tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from hybrid_ir.evaluation.measures.significance import Difference, PairedValues, compare, holm
from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.contributions import Contributions
from hybrid_ir.reports.runs import TrainingRun


@dataclass(frozen=True)
class ArmDifference:
    """The difference of two arms by one macro metric.

    Attributes:
        first: the arm that is subtracted.
        second: the arm that it is subtracted from.
        metric: the macro metric.
        difference: second minus first, between means over the seeds of `common_runs`, tested over query groups.
        p: p-value of the difference, adjusted over all pairs of arms and metrics of the benchmark.
        agreeing: seeds that both arms have and on which the difference has the sign of `difference`.
        paired: seeds that both arms have.
    """

    first: Arm
    second: Arm
    metric: str
    difference: Difference
    p: float
    agreeing: int
    paired: int

    @property
    def seeds(self) -> str:
        """The number of agreeing seeds, such as `2 of 3`; a dash if the arms have no seed in common."""
        return f"{self.agreeing} of {self.paired}" if self.paired else "–"


def arm_differences(
    arms: Sequence[Arm],
    contributions: Mapping[str, Mapping[str, Contributions]],
    metrics: Sequence[str],
    samples: int,
    seed: int,
) -> list[ArmDifference]:
    """Test every pair of arms by every metric for which both have per-query values.

    The values of a group are first averaged over the runs of `common_runs`. The tests then ask whether the difference
    would hold for other questions with these seeds; the number of seeds that agree is counted as well.

    Args:
        arms: the arms to compare.
        contributions: label of an arm -> macro metric -> contributions.
        metrics: macro metrics of one benchmark.
        samples: see `compare`.
        seed: see `compare`.
    """
    found = []
    for metric in metrics:
        having = [arm for arm in arms if metric in contributions[arm.label]]
        for first, second in combinations(having, 2):
            a, b = contributions[first.label][metric], contributions[second.label][metric]
            assert np.array_equal(a.query_groups, b.query_groups), "equal fingerprints, so equal query groups"
            difference = _difference(a, b, common_runs(first, second), samples, seed)
            found.append((first, second, metric, difference, *_agreement(first, second, metric, difference.value)))
    adjusted = holm([difference.p for _, _, _, difference, *_ in found])
    return [
        ArmDifference(first, second, metric, difference, p, agreeing, paired)
        for (first, second, metric, difference, agreeing, paired), p in zip(found, adjusted, strict=True)
    ]


def common_runs(first: Arm, second: Arm) -> tuple[list[int], list[int]]:
    """Indices of the runs by which two arms are compared: those with common seeds, or all if there are none.

    With the same seed, both arms draw the same training data. The difference between a mean over three seeds and a mean
    over one seed would partly be a difference between seeds.
    """
    shared = _by_seed(first).keys() & _by_seed(second).keys()
    of_first, of_second = (
        [position for position, run in enumerate(arm.runs) if not shared or run.config.get("seed") in shared]
        for arm in (first, second)
    )
    return of_first, of_second


def mean_difference(first: Arm, second: Arm, metric: str) -> float | None:
    """Second minus first over `common_runs`, by any metric; None if one of these runs lacks it."""
    means = []
    for arm, positions in zip((first, second), common_runs(first, second), strict=True):
        values = [arm.runs[position].results.metrics.get(metric) for position in positions]
        if None in values:
            return None
        means.append(np.mean(np.array(values, np.float64)))
    return float(means[1] - means[0])


def _difference(
    a: Contributions, b: Contributions, positions: tuple[list[int], list[int]], samples: int, seed: int
) -> Difference:
    """The difference tested by swaps of the groups' contributions, with the interval by linearisation."""
    first, second = a.values[:, positions[0]].mean(axis=1), b.values[:, positions[1]].mean(axis=1)
    swapped = compare([PairedValues(a.query_groups, first, second)], samples, seed).macro
    first_linear, second_linear = a.linear[:, positions[0]].mean(axis=1), b.linear[:, positions[1]].mean(axis=1)
    if np.allclose(second_linear - first_linear, second - first):  # every group is in every setting
        return swapped
    drawn = compare([PairedValues(a.query_groups, first_linear, second_linear)], samples, seed).macro
    return replace(swapped, low=drawn.low, high=drawn.high)


def _agreement(first: Arm, second: Arm, metric: str, value: float) -> tuple[int, int]:
    """The number of common seeds on which the difference has the sign of `value`, and of all common seeds."""
    a, b = (_by_seed(arm) for arm in (first, second))
    signs = [np.sign(b[seed].results.metrics[metric] - a[seed].results.metrics[metric]) for seed in a.keys() & b.keys()]
    return sum(sign == np.sign(value) for sign in signs), len(signs)


def _by_seed(arm: Arm) -> dict[int, TrainingRun]:
    """Seed -> run, for runs that have a seed; untrained systems may have none."""
    return {run.config["seed"]: run for run in arm.runs if run.config.get("seed") is not None}
