"""Paired significance tests on the per-query values of two systems.

The sampling unit is the **query group**, a question with all its translations: the values of a question in eleven
languages are correlated, and tests that treat them as independent find spurious differences. If no query has a
translation, each group is one query, and the tests are the textbook ones.

Let D_ts be the difference (second minus first) of group t in setting s. The difference of a setting is the mean of D_ts
over its groups; the macro difference is the mean of these over the settings.

- Randomisation test: under the null hypothesis, the systems' values can be swapped in any group. The p-value is the
  share of random swaps whose absolute difference is at least the observed one (two-sided; Smucker, Allan and
  Carterette, CIKM 2007). With few groups, all swaps are enumerated and p is exact; otherwise p = (b + 1) /
  (samples + 1).
- Bootstrap interval: percentiles of the difference over groups drawn with replacement (Efron and Tibshirani, 1993).
- t-test: on the contributions of groups to the difference; with one setting, this is the paired t-test.
- Holm: adjusts the p-values of a family of tests to bound the probability of any false positive in it (Holm, 1979).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Values = NDArray[np.float64]
TIE = 1e-12  # smaller differences count as ties: averages of the same numbers may differ in the last bits
DRAWN_AT_ONCE = 2**21  # groups over all samples in memory
KEPT = 2**24  # groups over all samples of a bootstrap that is cached, in 2 bytes each


class PairedValues(NamedTuple):
    """Values of the queries of one setting under two systems; a query must have a value under both.

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
    """The difference between two systems, second minus first, with its tests.

    Attributes:
        value: the difference of the means.
        low: lower end of the bootstrap confidence interval.
        high: upper end.
        p: p-value of the randomisation test.
        p_t: p-value of the t-test; NaN with fewer than two query groups.
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
    """The difference of two systems by one measure: the macro average over settings, and each setting in order."""

    macro: Difference
    settings: tuple[Difference, ...]


def compare(
    settings: Sequence[PairedValues], samples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Comparison:
    """Test the difference between two systems in each setting and in the macro average.

    Args:
        settings: the settings of the macro average, each with at least one query.
        samples: number of random swaps, and of bootstrap samples.
        seed: the result is a function of the values and the seed.
        confidence: confidence level of the bootstrap intervals.

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
    shares = [  # each group's contribution to a mean; they add up to the observed difference
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
    """The sum of differences and the number of queries, by group and setting: float64 (T, S) each."""
    _, query_group = np.unique(np.concatenate([setting.query_groups for setting in settings]), return_inverse=True)
    column = np.repeat(np.arange(len(settings)), [len(setting.query_groups) for setting in settings])
    sums, counts = np.zeros((2, query_group.max() + 1, len(settings)))
    np.add.at(sums, (query_group, column), np.concatenate([setting.second - setting.first for setting in settings]))
    np.add.at(counts, (query_group, column), 1.0)
    return sums, counts


def _with_macro(by_setting: Values) -> Values:
    """Differences (..., S) with their mean prepended: (..., 1 + S)."""
    # A sample without a query of some setting still counts for the other settings.
    return np.concatenate([np.nanmean(by_setting, axis=-1, keepdims=True), by_setting], axis=-1)


def _randomisation(shares: Values, observed: Values, samples: int, random: np.random.Generator) -> Values:
    """p-values (1 + S,) from each group's contribution (T, S) to the differences."""
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
    """Lower and upper ends of the intervals: (1 + S,) each."""
    drawn = []
    for times in _bootstrap_samples(len(sums), samples, (seed, 1)):
        with np.errstate(invalid="ignore"):
            drawn.append(_with_macro((times @ sums) / (times @ counts)))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.concatenate(drawn), [tail, 1 - tail], axis=0)
    return low, high


def _bootstrap_samples(query_groups: int, samples: int, key: tuple[int, ...]) -> Iterator[Values]:
    """The count of each group in each bootstrap sample: float64 (rows, groups), in portions.

    The counts depend only on the number of groups and the key, and drawing them is most of the cost of a bootstrap, so
    small ones are cached.
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
    """Two-sided p-value for a mean of zero; 1 if all contributions are zero."""
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
