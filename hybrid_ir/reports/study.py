"""The data of a report: arms, benchmarks, and the numbers that sections ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS
from hybrid_ir.evaluation.measures.definitions.language_bias import RankDistance
from hybrid_ir.evaluation.measures.measures import Measure, badness
from hybrid_ir.evaluation.results.result import RUN
from hybrid_ir.reports.arms import Arm, group_runs
from hybrid_ir.reports.contributions import Contributions, arm_contributions, interval
from hybrid_ir.reports.differences import ArmDifference, arm_differences
from hybrid_ir.reports.runs import TrainingRun

LANG_NDCG = "lang_ndcg"


@dataclass(frozen=True)
class Estimate:
    """A value of an arm.

    Attributes:
        mean: over its seeds.
        spread: standard deviation over its seeds (n - 1 in the divisor); None for one seed.
    """

    mean: float
    spread: float | None


@dataclass(frozen=True)
class EvaluatedBenchmark:
    """A benchmark and what was measured on it.

    Attributes:
        name: of the benchmark.
        languages: in the order of tables.
        queries: by language.
        passages: by language.
        macro: its macro metrics, in the order in which runs have them.
    """

    name: str
    languages: tuple[str, ...]
    queries: Mapping[str, int]
    passages: Mapping[str, int]
    macro: tuple[str, ...]

    @property
    def headline(self) -> tuple[str, ...]:
        """What the benchmark is about: the first measure of each kind of setting, and the rank distance."""
        first = []
        for kind in (*SETTINGS, RUN):
            first.extend([name for name in self.macro if name.startswith(f"{self.name}/{kind}/")][:1])
        return (*first, *(name for name in self.macro if name == f"{self.name}/{RankDistance.kind}"))

    @property
    def other(self) -> tuple[str, ...]:
        """Macro metrics besides the headline; shares of single languages are left to their own table."""
        return tuple(
            name
            for name in self.macro
            if name not in self.headline and Measure.parse(name.rpartition("/")[2]).language is None
        )

    @property
    def bias(self) -> tuple[str, ...]:
        """Its measures of language bias; Lang-nDCG, which rewards one, is a measure of quality."""
        names = (name for name in (*self.headline, *self.other) if name.count("/") == 1)
        return tuple(name for name in names if Measure.parse(name.rpartition("/")[2]).kind != LANG_NDCG)


class Study:
    """Arms and what was measured of them: everything that sections show is computed from runs here.

    Args:
        runs: see `read_runs`.
        samples: random samples of intervals and tests.
        seed: of the random samples.
        failed: runs that are left out, see `failed_jobs`.
    """

    def __init__(
        self, runs: Sequence[TrainingRun], samples: int = 10_000, seed: int = 0, failed: Mapping[str, str] | None = None
    ) -> None:
        self.arms: list[Arm] = group_runs(runs)
        self.samples, self.seed = samples, seed
        self.failed = dict(failed or {})

    @cached_property
    def benchmarks(self) -> list[EvaluatedBenchmark]:
        found: dict[str, dict[str, None]] = {}
        facts: dict[str, Any] = {}
        for arm in self.arms:
            for run in arm.runs:
                facts.update(run.results.benchmarks)
                for row in run.results.rows:
                    found.setdefault(row.benchmark, {})[row.group] = None
        return [
            EvaluatedBenchmark(
                name=name,
                languages=tuple(facts[name]["languages"]),
                queries=facts[name].get("queries", {}),
                passages=facts[name].get("passages", {}),
                macro=tuple(groups),
            )
            for name, groups in found.items()
        ]

    def estimate(self, arm: Arm, metric: str) -> Estimate | None:
        """An arm's value of a metric, macro or of one setting; None where a run of the arm does not have it."""
        return _estimate([run.results.metrics.get(metric) for run in arm.runs])

    def before(self, arm: Arm, metric: str) -> Estimate | None:
        """Its value before training; None where a run of the arm was not evaluated then."""
        return _estimate([run.before.get(metric) for run in arm.runs])

    def mean(self, arm: Arm, metrics: Sequence[str]) -> float | None:
        """The mean of several metrics, each counting the same, of those that the arm has."""
        found = [estimate.mean for metric in metrics if (estimate := self.estimate(arm, metric)) is not None]
        return fmean(found) if found else None

    def ranked(self, metric: str) -> list[Arm]:
        """Arms that have the metric, the best first; an advantage of one language is best where it is none."""
        having = [(estimate.mean, arm) for arm in self.arms if (estimate := self.estimate(arm, metric)) is not None]
        return [arm for _, arm in sorted(having, key=lambda pair: badness(metric, pair[0]))]

    @cached_property
    def contributions(self) -> dict[str, dict[str, Contributions]]:
        """Label of an arm -> macro metric -> what query groups contribute, if per-query values were kept."""
        return {arm.label: arm_contributions(arm) for arm in self.arms}

    def interval(self, arm: Arm, metric: str) -> tuple[float, float] | None:
        """The 95% interval of a macro metric over query groups and seeds; None without values of single queries."""
        found = self.contributions[arm.label].get(metric)
        return None if found is None else interval(found, self.samples, self.seed)

    @cached_property
    def differences(self) -> dict[str, list[ArmDifference]]:
        """Benchmark -> the tested differences of its headline, between all arms that can be compared."""
        return {
            benchmark.name: arm_differences(self.arms, self.contributions, benchmark.headline, self.samples, self.seed)
            for benchmark in self.benchmarks
        }

    @property
    def untested(self) -> list[Arm]:
        """Arms without values of single queries: they have neither intervals nor tests."""
        return [arm for arm in self.arms if not self.contributions[arm.label]]

    @property
    def unequal(self) -> list[tuple[Arm, dict[str, int]]]:
        """Arms whose runs were evaluated after different numbers of steps, with these: label of a run -> steps."""
        found = []
        for arm in self.arms:
            steps = {run.label: run.results.provenance.get("step") for run in arm.runs}
            known = {label: step for label, step in steps.items() if step is not None}
            if len(set(known.values())) > 1:
                found.append((arm, known))
        return found

    @property
    def incomplete(self) -> list[tuple[Arm, TrainingRun, str]]:
        """Runs that were not evaluated on a benchmark that other runs of their arm were evaluated on."""
        evaluated = {arm.label: {name for run in arm.runs for name in run.results.benchmarks} for arm in self.arms}
        return [
            (arm, run, name)
            for arm in self.arms
            for run in arm.runs
            for name in sorted(evaluated[arm.label] - set(run.results.benchmarks))
        ]


def _estimate(values: Sequence[float | None]) -> Estimate | None:
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        return None
    return Estimate(fmean(present), stdev(present) if len(present) > 1 else None)
