"""Paired tests: equal to scipy's, exact where they can be, by query group, and a function of values and seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hybrid_ir.evaluation.measures.significance import PairedValues, compare, holm


def paired(first, second, query_groups=None) -> PairedValues:  # type: ignore[no-untyped-def]
    query_groups = np.arange(len(first)) if query_groups is None else np.asarray(query_groups)
    return PairedValues(query_groups, np.asarray(first, dtype=float), np.asarray(second, dtype=float))


def mean_difference(a, b, axis=-1):  # type: ignore[no-untyped-def]
    return np.mean(b, axis=axis) - np.mean(a, axis=axis)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_few_query_groups_are_tested_exactly_as_scipy_does(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side) / 4 for side in zip(*pairs, strict=True))
    theirs = stats.permutation_test(
        (first, second), mean_difference, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    ours = compare([paired(first, second)])
    assert ours.macro.p == pytest.approx(theirs.pvalue, abs=1e-12)
    assert ours.macro == ours.settings[0]


def test_many_query_groups_agree_with_scipy() -> None:
    random = np.random.default_rng(0)
    first = random.random(300)
    second = np.clip(first + random.normal(0.012, 0.1, 300), 0, 1)
    ours = compare([paired(first, second)], samples=20_000).macro
    assert ours.value == pytest.approx(np.mean(second) - np.mean(first))
    assert ours.p_t == pytest.approx(stats.ttest_rel(second, first).pvalue, rel=1e-9)
    swapped = stats.permutation_test(
        (first, second), mean_difference, permutation_type="samples", vectorized=True, n_resamples=20_000, rng=1
    )
    assert ours.p == pytest.approx(swapped.pvalue, abs=4 * np.sqrt(ours.p * (1 - ours.p) / 20_000) + 1e-3)
    drawn = stats.bootstrap(
        (second - first,), np.mean, method="percentile", n_resamples=20_000, rng=1, vectorized=True
    ).confidence_interval
    width = drawn.high - drawn.low
    assert ours.low == pytest.approx(drawn.low, abs=0.03 * width)
    assert ours.high == pytest.approx(drawn.high, abs=0.03 * width)


def test_equal_systems_do_not_differ_and_one_query_group_proves_nothing() -> None:
    random = np.random.default_rng(0)
    first, second = random.random((2, 40))
    found = compare([paired(first, first)], samples=200).macro
    assert (found.value, found.low, found.high, found.p, found.p_t) == (0, 0, 0, 1, 1)
    assert (found.wins, found.ties, found.losses) == (0, 40, 0)
    alone = compare([paired([0.2], [0.9])]).macro
    assert alone.p == 1.0 and np.isnan(alone.p_t)
    mixed = compare([paired([0.1, 0.5, 0.5, 0.9], [0.2, 0.5, 0.6, 0.1])]).macro
    assert (mixed.wins, mixed.ties, mixed.losses) == (2, 1, 1)
    draws = [compare([paired(first, second)], samples=500, seed=seed) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_translations_of_one_question_are_one_observation() -> None:
    """Eleven copies of the same differences prove no more than one."""
    random = np.random.default_rng(5)
    first = random.random(50)
    second = first + random.normal(0.02, 0.1, 50)
    alone, copied = compare([paired(first, second)]), compare([paired(first, second)] * 11)
    assert copied.macro.value == pytest.approx(alone.macro.value)
    assert copied.macro.p == alone.macro.p
    assert copied.macro.p_t == pytest.approx(alone.macro.p_t)
    assert (copied.macro.low, copied.macro.high) == pytest.approx((alone.macro.low, alone.macro.high))
    assert len(copied.settings) == 11 and len(set(copied.settings)) == 1


def test_macro_counts_settings_not_queries() -> None:
    small, large = paired([0.0, 0.0], [1.0, 1.0], [0, 1]), paired([0.5] * 8, [0.5] * 8, range(8))
    found = compare([small, large])
    assert found.macro.value == 0.5
    assert [difference.value for difference in found.settings] == [1.0, 0.0]
    assert (found.settings[1].wins, found.settings[1].ties) == (0, 8)
    assert found.macro.wins == 2  # query groups 0 and 1, which occur in both settings


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_the_step_down_procedure(p_values: list[float]) -> None:
    """A hypothesis is rejected at level a exactly if it and all with smaller p pass p < a / (how many are left)."""
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        order = sorted(range(len(p_values)), key=lambda i: p_values[i])
        rejected: set[int] = set()
        for place, index in enumerate(order):
            if p_values[index] * (len(order) - place) > level:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(adjusted) if p <= level} == rejected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "nothing to compare"),
        (([paired([], [])],), "nothing to compare"),
        (([paired([1], [1])], 0), "samples=0 must be at least 1"),
        (([paired([1], [1])], 10, 0, 1.0), "confidence=1.0 between 0 and 1"),
    ],
)
def test_bad_requests(arguments, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        compare(*arguments)
