"""Paired significance tests on per-query values: is one system better than another, or is the difference chance?

The unit that is drawn is the **query group**, a question with all its translations: the values of one question in
eleven languages rise and fall together, and tests that took them for independent would find differences that are not
there. If no query has a translation a group is a query, and the tests are the textbook ones.

With D_ts the difference (second minus first) of group t in setting s, the difference of a setting is the mean of D_ts
over its groups, and the macro difference the mean of that over the settings.

- Randomisation test: under the null hypothesis the two systems could swap names on any group. The p-value is the share
  of random swaps whose absolute difference is at least the observed one (two-sided; Smucker, Allan and Carterette,
  CIKM 2007). With few groups all swaps are tried, and p is exact; otherwise p = (b + 1) / (samples + 1).
- Bootstrap interval: percentiles of the difference over groups drawn with replacement (Efron and Tibshirani, 1993).
- t-test: on the contributions of groups to the difference; for one setting the paired t-test.
- Holm: p-values of a family of tests, adjusted so that one false alarm in the family has at most the stated chance
  (Holm, 1979).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Values = NDArray[np.float64]
TIE = 1e-12  # values that differ by no more are equal: averages of the same numbers may differ in the last bits
DRAWN_AT_ONCE = 2**21  # groups over all samples in memory
KEPT = 2**24  # groups over all samples of a bootstrap that is kept for the next one, in 2 bytes each


class PairedValues(NamedTuple):
    """The queries of one setting under two systems; queries without a value under both are left out.

    Attributes:
        query_groups: int64 (Q,), group of each query.
        first: float64 (Q,), finite.
        second: float64 (Q,), finite.
    """

    query_groups: NDArray[np.int64]
    first: Values
    second: Values


@dataclass(frozen=True)
class Difference:
    """Second minus first.

    Attributes:
        value: the difference of the means.
        low: lower end of the bootstrap confidence interval.
        high: upper end.
        p: of the randomisation test.
        p_t: of the t-test; NaN if there are fewer than two query groups.
        wins: groups for which the second system has the higher value.
        ties: groups for which both have the same value.
        losses: groups for which the first has the higher value.
    """

    value: float
    low: float
    high: float
    p: float
    p_t: float
    wins: int
    ties: int
    losses: int


class Comparison(NamedTuple):
    """Two systems by one measure: over all settings of a kind, and in each of them in the order given."""

    macro: Difference
    settings: tuple[Difference, ...]


def compare(
    settings: Sequence[PairedValues], samples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Comparison:
    """Test the difference between two systems in some settings, and that of their macro averages.

    Args:
        settings: the settings that one macro average is made of, each with at least one query.
        samples: random swaps, and bootstrap samples.
        seed: the result is a function of values and seed.
        confidence: of the bootstrap intervals.

    Raises:
        ValueError: there are no settings, a setting has no query, `samples` is below 1, or `confidence` is not between
            0 and 1.
    """
    if not settings or any(not len(setting.query_groups) for setting in settings):
        raise ValueError("there is nothing to compare: no setting, or a setting without a query")
    if samples < 1 or not 0 < confidence < 1:
        raise ValueError(f"samples={samples} must be at least 1, and confidence={confidence} between 0 and 1")
    sums, counts = _by_group(settings)
    observed = _with_macro(sums.sum(axis=0) / counts.sum(axis=0))
    p = _randomisation(sums / counts.sum(axis=0), observed, samples, np.random.default_rng((seed, 0)))
    low, high = _bootstrap(sums, counts, samples, confidence, seed)
    parts = [sums[counts[:, setting] > 0, setting] for setting in range(len(settings))]
    shares = [  # each group's share in a mean: what adds up to the observed difference
        (sums / counts.sum(axis=0)).mean(axis=1),
        *(part / counts[:, setting].sum() for setting, part in enumerate(parts)),
    ]
    numbers = zip(observed.tolist(), low.tolist(), high.tolist(), p.tolist(), shares, strict=True)
    macro, *rest = (
        Difference(value, begin, end, chance, _t_test(share), *_outcomes(share))
        for value, begin, end, chance, share in numbers
    )
    return Comparison(macro, tuple(rest))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of a family of tests, in the given order."""
    order = np.argsort(p_values, kind="stable")
    factors = len(order) - np.arange(len(order))
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1.0)
    return [float(p) for p in adjusted]


def _by_group(settings: Sequence[PairedValues]) -> tuple[Values, Values]:
    """Sum of differences and number of queries, by group and setting: float64 (T, S) each."""
    _, query_group = np.unique(np.concatenate([setting.query_groups for setting in settings]), return_inverse=True)
    column = np.repeat(np.arange(len(settings)), [len(setting.query_groups) for setting in settings])
    sums, counts = np.zeros((2, query_group.max() + 1, len(settings)))
    np.add.at(sums, (query_group, column), np.concatenate([setting.second - setting.first for setting in settings]))
    np.add.at(counts, (query_group, column), 1.0)
    return sums, counts


def _with_macro(by_setting: Values) -> Values:
    """Differences (..., S) with their mean put in front: (..., 1 + S)."""
    # A sample that has drawn no query of a setting says nothing about it, and something about the others.
    return np.concatenate([np.nanmean(by_setting, axis=-1, keepdims=True), by_setting], axis=-1)


def _randomisation(shares: Values, observed: Values, samples: int, random: np.random.Generator) -> Values:
    """p-values (1 + S,) from each group's share (T, S) in the differences."""
    query_groups = len(shares)
    exact = query_groups < 63 and 2**query_groups <= samples
    total = 2**query_groups if exact else samples
    extreme = np.zeros(len(observed))
    for begin, end in _portions(total, query_groups):
        if exact:
            signs = 1.0 - 2.0 * (np.arange(begin, end)[:, None] >> np.arange(query_groups) & 1)
        else:
            signs = 1.0 - 2.0 * random.integers(0, 2, size=(end - begin, query_groups), dtype=np.int8)
        extreme += (np.abs(_with_macro(signs @ shares)) >= np.abs(observed) - TIE).sum(axis=0)
    return extreme / total if exact else (extreme + 1) / (total + 1)


def _bootstrap(sums: Values, counts: Values, samples: int, confidence: float, seed: int) -> tuple[Values, Values]:
    """Ends of the intervals: (1 + S,) each."""
    drawn = []
    for times in _bootstrap_samples(len(sums), samples, (seed, 1)):
        with np.errstate(invalid="ignore"):
            drawn.append(_with_macro((times @ sums) / (times @ counts)))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.concatenate(drawn), [tail, 1 - tail], axis=0)
    return low, high


def _bootstrap_samples(query_groups: int, samples: int, key: tuple[int, ...]) -> Iterator[Values]:
    """How often each sample has each group: float64 (rows, groups), in portions.

    The same for every comparison of as many groups, and most of what a bootstrap costs: they are kept while they are
    small.
    """
    draw = _kept_samples if query_groups * samples <= KEPT else _drawn_samples
    for times in draw(query_groups, samples, key, DRAWN_AT_ONCE):
        yield times.astype(np.float64)


def _drawn_samples(query_groups: int, samples: int, key: tuple[int, ...], at_once: int) -> Iterator[NDArray[np.uint16]]:
    random, size = np.random.default_rng(key), max(1, at_once // query_groups)
    for begin in range(0, samples, size):
        rows = min(size, samples - begin)
        choice = random.integers(0, query_groups, size=(rows, query_groups)) + query_groups * np.arange(rows)[:, None]
        times = np.bincount(choice.ravel(), minlength=rows * query_groups).reshape(rows, query_groups)
        yield times.astype(np.uint16)


@lru_cache(maxsize=4)
def _kept_samples(query_groups: int, samples: int, key: tuple[int, ...], at_once: int) -> list[NDArray[np.uint16]]:
    return list(_drawn_samples(query_groups, samples, key, at_once))


def _portions(total: int, query_groups: int) -> Iterator[tuple[int, int]]:
    size = max(1, DRAWN_AT_ONCE // query_groups)
    for begin in range(0, total, size):
        yield begin, min(begin + size, total)


def _t_test(shares: Values) -> float:
    """Two-sided p that the mean is zero; 1 where all shares are zero."""
    if len(shares) < 2:
        return float("nan")
    if (np.abs(shares) <= TIE).all():
        return 1.0
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    with np.errstate(divide="ignore"):
        return float(2 * stdtr(len(shares) - 1, -abs(np.mean(shares) / error)))


def _outcomes(shares: Values) -> tuple[int, int, int]:
    wins, losses = int((shares > TIE).sum()), int((shares < -TIE).sum())
    return wins, len(shares) - wins - losses, losses
