"""Which arms differ by more than chance: every pair of arms on the headline of a benchmark, one family of tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from hybrid_ir.reporting.report.arms import Arm
from hybrid_ir.reporting.report.contributions import Contributions
from hybrid_ir.retrieval.significance import Difference, PairedValues, compare, holm


@dataclass(frozen=True)
class ArmDifference:
    """Two arms by one macro metric.

    Attributes:
        first: the arm that is subtracted.
        second: the arm that it is subtracted from.
        metric: the macro metric.
        difference: second minus first, between means over seeds, tested over topics.
        p: of the difference, adjusted over all pairs of arms and metrics of the benchmark.
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
        """`2 of 3`; a dash where the arms have no seed in common."""
        return f"{self.agreeing} of {self.paired}" if self.paired else "–"


def arm_differences(
    arms: Sequence[Arm],
    contributions: Mapping[str, Mapping[str, Contributions]],
    metrics: Sequence[str],
    samples: int,
    seed: int,
) -> list[ArmDifference]:
    """Test every pair of arms by every metric that both have values of single queries for.

    The values of a topic are first averaged over the seeds of its arm. The tests then ask whether the difference would
    hold for other questions, with these seeds; how many seeds agree is counted beside it.

    Args:
        arms: to compare.
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
            assert np.array_equal(a.topics, b.topics), "equal fingerprints, so equal topics"
            difference = _difference(a, b, samples, seed)
            found.append((first, second, metric, difference, *_agreement(first, second, metric, difference.value)))
    adjusted = holm([difference.p for _, _, _, difference, *_ in found])
    return [
        ArmDifference(first, second, metric, difference, p, agreeing, paired)
        for (first, second, metric, difference, agreeing, paired), p in zip(found, adjusted, strict=True)
    ]


def _difference(a: Contributions, b: Contributions, samples: int, seed: int) -> Difference:
    """Tested by swaps of what topics contribute, with the interval of the linear form."""
    first, second = a.values.mean(axis=1), b.values.mean(axis=1)
    swapped = compare([PairedValues(a.topics, first, second)], samples, seed).macro
    first_linear, second_linear = a.linear.mean(axis=1), b.linear.mean(axis=1)
    if np.allclose(second_linear - first_linear, second - first):  # every topic is in every setting
        return swapped
    drawn = compare([PairedValues(a.topics, first_linear, second_linear)], samples, seed).macro
    return replace(swapped, low=drawn.low, high=drawn.high)


def _agreement(first: Arm, second: Arm, metric: str, value: float) -> tuple[int, int]:
    a, b = (
        {run.config.get("seed"): run.results.metrics[metric] for run in arm.runs if metric in run.results.metrics}
        for arm in (first, second)
    )
    signs = [np.sign(b[seed] - a[seed]) for seed in a.keys() & b.keys()]
    return sum(sign == np.sign(value) for sign in signs), len(signs)
