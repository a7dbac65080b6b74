"""The contribution of each query group to a macro average, from which reports compute intervals and tests.

A query group is a question with all its translations. With v_qs the value of query q in setting s, n_s the queries of
the setting, S the settings and T the groups, the contribution of group t is

    c_t = T / S * sum over s of (1 / n_s) * sum of v_qs over the queries q of group t,

so that the mean of c_t over the groups is the macro average. Tests swap these. Intervals resample groups, and the n_s
then vary if some group lacks a query in some setting, as in MLQA-R: the macro average is a mean of ratios. Its
first-order linearisation (Davison and Hinkley, 1997, section 2.7), with m_s the mean of setting s,

    l_t = (1 / S) * sum over s of m_s + T / S * sum over s of (1 / n_s) * sum of (v_qs - m_s) over the queries of t,

has the same mean over the groups, and does not vary if all values are equal. If every group has a query in every
setting, as in XQuAD-R and in the built-in facts, l_t = c_t. Intervals resample the l_t, and the seeds if there are
several, with replacement (percentile bootstrap; Efron and Tibshirani, 1993; for the two levels, Davison and Hinkley,
section 3.8).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.measures.significance import KEPT
from hybrid_ir.evaluation.results.result import Row, SettingResult
from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.contribution_files import Contributions
from hybrid_ir.reports.runs import TrainingRun

DRAWN_AT_ONCE = 2**21  # groups over all samples in memory


def arm_contributions(arm: Arm) -> dict[str, Contributions]:
    """Macro metric -> contributions; empty if a run of the arm has no per-query values."""
    runs = [run_contributions(run) for run in arm.runs]
    found = {}
    for metric in runs[0] if runs else ():
        columns = [run[metric] for run in runs if metric in run]
        if len(columns) == len(runs) and all(
            np.array_equal(each.query_groups, columns[0].query_groups) for each in columns
        ):
            values, linear = (np.hstack(parts) for parts in zip(*((c.values, c.linear) for c in columns), strict=True))
            found[metric] = Contributions(columns[0].query_groups, values, linear)
    return found


def run_contributions(run: TrainingRun) -> Mapping[str, Contributions]:
    """Macro metric -> contributions of one run, in one column; a condensed run stores them."""
    if run.values is None:
        return run.query_groups
    groups: dict[str, list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
    for benchmark, entries in run.values.settings.items():
        for entry in entries:
            for metric, values in _by_metric(benchmark, entry).items():
                kept = ~np.isnan(values)
                groups.setdefault(metric, []).append((entry.query_groups[kept], values[kept]))
    return {metric: _contributions(settings) for metric, settings in groups.items()}


def interval(contributions: Contributions, samples: int, seed: int, confidence: float = 0.95) -> tuple[float, float]:
    """The bootstrap confidence interval of an arm's macro average over query groups and seeds, by linearisation."""
    query_groups, runs = contributions.linear.shape
    draw = _kept if query_groups * samples <= KEPT else _drawn
    drawn = [
        np.take_along_axis(times / query_groups @ contributions.linear, seeds, axis=1).mean(axis=1)
        for times, seeds in draw(query_groups, runs, samples, seed, DRAWN_AT_ONCE)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail])
    return float(low), float(high)


Drawn = tuple[NDArray[np.uint16], NDArray[np.int64]]


def _drawn(query_groups: int, runs: int, samples: int, seed: int, at_once: int) -> Iterator[Drawn]:
    """Bootstrap samples: counts of each group, (rows, groups), and drawn seeds, (rows, runs), in portions.

    They are the same for all metrics and arms of one size, and drawing them is most of the cost of an interval.
    """
    random, size = np.random.default_rng((seed, query_groups)), max(1, at_once // query_groups)
    for begin in range(0, samples, size):
        rows = min(size, samples - begin)
        choice = random.integers(0, query_groups, size=(rows, query_groups)) + query_groups * np.arange(rows)[:, None]
        times = np.bincount(choice.ravel(), minlength=rows * query_groups).reshape(rows, query_groups)
        yield times.astype(np.uint16), random.integers(0, runs, size=(rows, runs))


@lru_cache(maxsize=4)
def _kept(query_groups: int, runs: int, samples: int, seed: int, at_once: int) -> list[Drawn]:
    return list(_drawn(query_groups, runs, samples, seed, at_once))


def _by_metric(benchmark: str, entry: SettingResult) -> Mapping[str, NDArray[np.float64]]:
    return {
        Row(benchmark, entry.setting, measure, value=np.nan, queries=0).group: values
        for measure, values in entry.values.items()
    }


def _contributions(settings: list[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Contributions:
    query_groups = np.unique(np.concatenate([query_groups for query_groups, _ in settings]))
    total, varying = np.zeros((2, len(query_groups), 1))
    for members, values in settings:
        positions, scale = np.searchsorted(query_groups, members), len(query_groups) / (len(values) * len(settings))
        np.add.at(total[:, 0], positions, values * scale)
        np.add.at(varying[:, 0], positions, (values - values.mean()) * scale)
    return Contributions(query_groups, total, varying + np.mean([values.mean() for _, values in settings]))
