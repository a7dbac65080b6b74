"""Language bias in the best passages of the pool of all languages. One value a query; the k best passages count.

- `language_share_de@k`: share of German passages, by query language the row of a matrix.
- `own_language_advantage@k`: share of passages in the query's own language, minus the share that the same language has
  for the translations of the query (their mean). Comparing a question with itself takes out what the question is about,
  how large the pools are and how much a language attracts every query. 1 where every query sees its own language alone,
  0 where the language of a query does not matter, below 0 where a query sees less of its language than others do.
- `rank_correlation@k`: mean over the translations of the query of the rank correlation of both lists of k passages,
  1 - 2 K / K_max. K is Kendall's distance for top-k lists with the neutral penalty p = 1/2 (Fagin, Kumar and Sivakumar,
  Comparing top k lists, SIAM J. Discrete Math. 17, 2003): of two passages in either list, 1 where the lists order them
  differently, a list ranking what it lacks last; 1/2 where both are in one list alone, so that their order in the other
  is not known. K_max = k^2 + p k (k - 1) is that of lists with nothing in common. 1 where a question finds the same
  passages in the same order in whatever language it is asked, -1 where its translations find nothing in common.

The latter two have no value (NaN) for a query without a translation.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.measures.measures import SHARE, Measure
from hybrid_ir.evaluation.ranking.best_lists import NO_PASSAGE, BestPassages

Values = NDArray[np.float64]
COMPARED_AT_ONCE = 2**24  # pairs of passages in memory


def language_bias(benchmark: Benchmark, top: BestPassages, measure: Measure) -> Values:
    """Values of all queries of the benchmark: float64 (Q,).

    Args:
        benchmark: what was searched.
        top: at least the measure's k best passages of the pool of all languages, or the whole pool.
        measure: one of the kinds above.
    """
    assert measure.of_top and measure.cutoff is not None
    lists = top.passages[:, : min(measure.cutoff, len(benchmark.passages))]
    assert (lists != NO_PASSAGE).all()
    if measure.kind == SHARE:
        assert measure.language is not None, "parse_measures names the languages"
        of_language = benchmark.passages.languages[lists] == benchmark.languages.index(measure.language)
        shares: Values = of_language.mean(axis=1)
        return shares
    if measure.kind == "own_language_advantage":
        return _own_language_advantage(benchmark, lists)
    return _rank_correlation(benchmark.query_groups, lists)


def has_translations(benchmark: Benchmark) -> bool:
    """Whether any query of the benchmark has a translation."""
    return bool((np.bincount(benchmark.query_groups) > 1).any())


def has_parallel_passages(benchmark: Benchmark) -> bool:
    """Whether any query of the benchmark has relevant passages both in its own and in another language."""
    query = np.repeat(np.arange(len(benchmark.queries)), np.diff(benchmark.offsets))
    own = benchmark.queries.languages[query] == benchmark.passages.languages[benchmark.relevant]
    return bool(np.intersect1d(query[own], query[~own]).size)


def _own_language_advantage(benchmark: Benchmark, lists: NDArray[np.int64]) -> Values:
    queries, query_groups, own = np.arange(len(lists)), benchmark.query_groups, benchmark.queries.languages
    shown = np.zeros((len(lists), len(benchmark.languages)))  # passages of each language in the list of each query
    np.add.at(shown, (queries[:, None], benchmark.passages.languages[lists]), 1)
    by_group = np.zeros((query_groups.max() + 1, len(benchmark.languages)))
    np.add.at(by_group, query_groups, shown)
    others = np.bincount(query_groups)[query_groups] - 1
    mine = shown[queries, own]
    theirs = by_group[query_groups, own] - mine
    # Whole numbers up to the division, so that equal shares differ by exactly zero.
    return _divided(mine * others - theirs, others * lists.shape[1])


def _rank_correlation(query_groups: NDArray[np.int64], lists: NDArray[np.int64]) -> Values:
    total, translations = np.zeros((2, len(lists)))
    for first, second in _translations(query_groups, COMPARED_AT_ONCE // lists.shape[1] ** 2):
        correlation = 1 - 2 * kendall_distance(lists[first], lists[second])
        for side in (first, second):
            np.add.at(total, side, correlation)
            np.add.at(translations, side, 1)
    return _divided(total, translations)


def kendall_distance(first: NDArray[np.int64], second: NDArray[np.int64]) -> Values:
    """Kendall's distance with penalty 1/2 of N pairs of lists, as a share of that of lists with nothing in common.

    Args:
        first: int64 (N, k), distinct within a row, best first.
        second: the same.

    Returns:
        float64 (N,) from 0 (the same list) to 1 (nothing in common).
    """
    k = first.shape[1]
    same = first[:, :, None] == second[:, None, :]
    of_first = np.where(same.any(axis=2), same.argmax(axis=2), k)  # place in the other list, k where it is not there
    of_second = np.where(same.any(axis=1), same.argmax(axis=1), k)
    ahead, behind = np.triu_indices(k, 1)
    # Pairs that one list ranks one way and the other list, by what it has and lacks, the other way. Those that both
    # lists have are met from either side and counted from the first.
    opposed = (of_first[:, ahead] > of_first[:, behind]).sum(axis=1)
    opposed += ((of_second[:, ahead] == k) & (of_second[:, behind] < k)).sum(axis=1)
    alone = (of_first == k).sum(axis=1)
    opposed += alone**2  # one passage in the first list only, the other in the second only
    unknown = alone * (alone - 1)  # both in one list only, on either side
    distance: Values = (opposed + unknown / 2) / (k * k + k * (k - 1) / 2)
    return distance


def _translations(
    query_groups: NDArray[np.int64], at_once: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Every two queries of one query group, once, in portions."""
    order = np.argsort(query_groups, kind="stable")
    for apart in range(1, int(np.bincount(query_groups).max())):
        first, second = order[:-apart], order[apart:]
        pairs = np.flatnonzero(query_groups[first] == query_groups[second])
        for begin in range(0, len(pairs), max(1, at_once)):
            some = pairs[begin : begin + max(1, at_once)]
            yield first[some], second[some]


def _divided(numerator: Values, denominator: NDArray[np.int64] | Values) -> Values:
    """NaN where there is nothing to divide by."""
    values: Values = np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)
    return values
