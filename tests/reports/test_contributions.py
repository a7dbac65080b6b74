"""Contributions of query groups add up to the metrics, and intervals are those of a naive bootstrap."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.measures.significance import holm
from hybrid_ir.evaluation.results.comparison import compare_runs
from hybrid_ir.reports.arms import group_runs
from hybrid_ir.reports.contributions import Contributions, _contributions, arm_contributions, interval
from hybrid_ir.reports.differences import arm_differences, mean_difference
from hybrid_ir.reports.runs import find_results, read_runs
from tests.reports.conftest import QUESTIONS, WriteRun

METRICS = ("toy/monolingual/map", "toy/rank_distance")


def uneven_benchmark() -> Benchmark:
    """As MLQA-R: not every question is there in every language, so settings have different numbers of queries."""
    languages = {"de": range(QUESTIONS), "en": range(0, QUESTIONS, 2), "tr": range(0, QUESTIONS, 3)}
    return Benchmark.build(
        "toy",
        queries={lang: {f"{lang}:q{i}": f"question {lang} {i}" for i in own} for lang, own in languages.items()},
        passages={lang: {f"{lang}:p{i}": f"passage {lang} {i}" for i in own} for lang, own in languages.items()},
        qrels={
            f"{lang}:q{i}": [f"{pool}:p{i}" for pool, theirs in languages.items() if i in theirs]
            for lang, own in languages.items()
            for i in own
        },
        query_groups={f"{lang}:q{i}": str(i) for lang, own in languages.items() for i in own},
    )


def even(values: NDArray[np.float64]) -> Contributions:
    """Of query groups that are in every setting."""
    return Contributions(np.arange(len(values)), values, values)


@pytest.mark.parametrize("uneven", [False, True])
def test_contributions_average_to_the_metrics(uneven: bool, write_run: WriteRun, tmp_path: Path) -> None:
    for seed in (1, 2):
        write_run(f"s/{seed}", seed=seed, benchmark=uneven_benchmark() if uneven else None, epochs=(1,))
    (arm,) = group_runs(read_runs(find_results(tmp_path / "s")))
    found = arm_contributions(arm)
    assert {"toy/monolingual/map", "toy/crosslingual/recall@1", "toy/rank_correlation@10"} <= found.keys()
    for metric, contributions in found.items():
        expected = [run.results.metrics[metric] for run in arm.runs]
        np.testing.assert_allclose(contributions.values.mean(axis=0), expected, rtol=1e-12)
        np.testing.assert_allclose(contributions.linear.mean(axis=0), expected, rtol=1e-12)
        if not uneven:
            np.testing.assert_allclose(contributions.linear, contributions.values, atol=1e-12)
        assert contributions.values.mean() == pytest.approx(np.mean(expected))


def test_interval_is_that_of_a_naive_bootstrap() -> None:
    random = np.random.default_rng(0)
    values = random.normal(0.5, 0.2, size=(60, 3)) + np.array([-0.1, 0.0, 0.1])
    low, high = interval(even(values), samples=20_000, seed=0)
    groups, seeds = random.integers(0, 60, (20_000, 60, 1)), random.integers(0, 3, (20_000, 1, 3))
    drawn = values[groups, seeds].mean(axis=(1, 2))
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.004)


def uneven_settings() -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Five settings, each with a random part of 300 query groups; easy query groups are in more of them."""
    random = np.random.default_rng(0)
    hard = random.random(300)
    chosen = [np.flatnonzero(random.random(300) < 0.2 + 0.5 * hard) for _ in range(5)]
    return [(groups, hard[groups] + random.normal(0, 0.1, len(groups))) for groups in chosen]


def test_interval_of_uneven_settings_is_that_of_a_naive_ratio_bootstrap() -> None:
    settings, found = uneven_settings(), _contributions(uneven_settings())
    times = np.random.default_rng(1).multinomial(300, np.full(300, 1 / 300), 5000)  # how often each group is drawn
    drawn = np.mean([times[:, groups] @ values / times[:, groups].sum(1) for groups, values in settings], axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert interval(found, 10_000, 0) == pytest.approx((low, high), abs=0.05 * (high - low))
    fixed = interval(even(found.values), 2000, 0)
    assert fixed[1] - fixed[0] > 1.5 * (high - low)
    equal = _contributions([(query_groups, np.full(len(values), 0.5)) for query_groups, values in settings])
    assert np.ptp(equal.values) > 0.5 and interval(equal, 500, 0) == pytest.approx((0.5, 0.5), abs=1e-12)


@pytest.mark.parametrize("uneven", [False, True])
def test_differences_are_those_of_the_terminal(uneven: bool, write_run: WriteRun, tmp_path: Path) -> None:
    """One seed an arm: value, p and outcomes of `compare_runs`, from collapsed values; to first order its interval."""
    benchmark = uneven_benchmark() if uneven else None
    runs = [write_run(f"s/{alpha}", alpha, benchmark=benchmark, epochs=(1,)) for alpha in (0.4, 0.5)]
    arms = group_runs(read_runs(find_results(tmp_path / "s")))
    contributions = {arm.label: arm_contributions(arm) for arm in arms}
    found = arm_differences(arms, contributions, METRICS, samples=500, seed=3)
    expected = {metric.name: metric for metric in compare_runs(*runs, samples=500, seed=3) or ()}
    for each in found:
        other = expected[each.metric].comparison.macro
        assert each.difference.value == pytest.approx(other.value)
        assert each.difference.p == other.p and each.difference.p_t == pytest.approx(other.p_t)
        assert (each.difference.wins, each.difference.losses) == (other.wins, other.losses)
        assert (each.agreeing, each.paired) == (1, 1)
        slack = 0.15 * (other.high - other.low) if uneven else 1e-12
        assert (each.difference.low, each.difference.high) == pytest.approx((other.low, other.high), abs=slack)
    assert [each.p for each in found] == holm([each.difference.p for each in found])


def test_arms_with_unlike_seeds_are_compared_on_those_that_both_have(write_run: WriteRun, tmp_path: Path) -> None:
    """Otherwise the other seeds of one arm would count as a difference of the arms."""
    for alpha, seeds in ((0.4, (1, 2, 3)), (0.5, (2,)), (0.6, (4, 5))):
        for seed in seeds:
            write_run(f"s/{alpha}-{seed}", alpha, seed, epochs=(1,))
    arms = group_runs(read_runs(find_results(tmp_path / "s")))
    contributions = {arm.label: arm_contributions(arm) for arm in arms}
    of = {
        (each.first.alpha, each.second.alpha, each.metric): each
        for each in arm_differences(arms, contributions, METRICS, samples=100, seed=0)
    }
    for metric in METRICS:
        values = {arm.alpha: [run.results.metrics[metric] for run in arm.runs] for arm in arms}
        shared, apart = of[0.4, 0.5, metric], of[0.4, 0.6, metric]
        assert shared.difference.value == pytest.approx(values[0.5][0] - values[0.4][1]) and shared.seeds == "1 of 1"
        assert apart.difference.value == pytest.approx(np.mean(values[0.6]) - np.mean(values[0.4]))
        assert apart.seeds == "–"
        for each in (shared, apart):
            assert mean_difference(each.first, each.second, metric) == pytest.approx(each.difference.value)
