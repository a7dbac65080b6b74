"""Measures of language bias in the pool of all languages, over relevant passages and over the k best passages.

The relevant passages of a query are translations of each other. MLAIRE (arXiv:2605.07249) names a language preference
rate and a Lang-nDCG; its formulas were not at hand, so these are OURS, and values cannot be compared with its own.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.measures.definitions.accuracy import discounted, ideal
from hybrid_ir.evaluation.measures.measures import Cutoff, Direction, Needs, RankMeasure, TopMeasure, Unit
from hybrid_ir.evaluation.measures.rank_lists import RankLists, Values

COMPARED_AT_ONCE = 2**24  # pairs of passages in memory


class RankDistance(RankMeasure):
    """How far apart the first and the last relevant passage are."""

    kind, short = "rank_distance", "rank distance"
    definition = "r_R - r_1, the language bias of Elmahdy, Lin and Ahmad (arXiv:2408.10536)"
    direction, unit, cut, needs = Direction.LOWER, Unit.RANKS, Cutoff.NONE, Needs.ALL_LANGUAGES
    scale = "ranks; at the least the relevant passages of the question less one"

    def __call__(self, lists: RankLists) -> Values:
        best, worst = lists.ranks[lists.offsets[:-1]], lists.ranks[lists.offsets[1:] - 1]
        return (worst - best).astype(np.float64)


class LanguagePreferenceRate(RankMeasure):
    """How often the best-ranked relevant passage is in the query's language."""

    kind, short = "language_preference_rate", "language preference rate"
    definition = (
        "1 if the passage at r_1 is in the query's language, else 0; no value (NaN) for a query without relevant "
        "passages both in its own and in another language. The name is MLAIRE's (arXiv:2605.07249), the formula ours"
    )
    direction, cut = Direction.NEITHER, Cutoff.NONE
    needs = Needs.ALL_LANGUAGES | Needs.LANGUAGES | Needs.PARALLEL_PASSAGES
    scale = (
        "share of questions whose best-ranked relevant passage is in their own language; without bias the share of "
        "their relevant passages that are"
    )

    def __call__(self, lists: RankLists) -> Values:
        assert lists.own is not None
        own = lists.sums(lists.own)
        return np.where((own > 0) & (own < lists.counts), lists.own[lists.offsets[:-1]], np.nan)


class LanguagePreferenceExcess(RankMeasure):
    """How much more often than by chance the best-ranked relevant passage is in the query's language."""

    kind, short = "language_preference_excess", "language preference excess"
    definition = (
        "`language_preference_rate` minus the share of relevant passages that are in the query's language, which is "
        "its expectation if every order of them is as likely. Ours"
    )
    direction, cut, needs = Direction.ZERO, Cutoff.NONE, LanguagePreferenceRate.needs
    scale = "that rate less its value without bias; 0 without bias"

    def __call__(self, lists: RankLists) -> Values:
        assert lists.own is not None
        return LanguagePreferenceRate()(lists) - lists.sums(lists.own) / lists.counts


class LanguageNDCG(RankMeasure):
    """nDCG in which an answer in the query's language is worth twice as much as one in another."""

    kind, short = "lang_ndcg", "Lang-nDCG"
    definition = (
        "nDCG with gain 2 for a relevant passage in the query's language and 1 in another: trec_eval's `ndcg_cut` on "
        "qrels with these grades. The name is MLAIRE's (arXiv:2605.07249), the formula ours"
    )
    needs = Needs.ALL_LANGUAGES | Needs.LANGUAGES

    def __call__(self, lists: RankLists) -> Values:
        assert lists.own is not None
        found = lists.sums(discounted(lists, self.last) * (1 + lists.own))
        # The best ranking has passages in the query's language first: a gain of 1 for each passage, 1 more for these.
        own = lists.sums(lists.own).astype(np.int64)
        return found / (ideal(lists.counts, self.last) + ideal(own, self.last))


class LanguageShare(TopMeasure):
    """The share of one language in the k best passages; by query language, a row of a matrix."""

    kind, short = "language_share", "language share"
    definition = "share of the k best passages that are in one language; `language_share_de@k` is that of German"
    direction, per_language = Direction.NEITHER, True

    def __call__(self, benchmark: Benchmark, lists: NDArray[np.int64]) -> Values:
        assert self.language is not None, "of_languages names the languages"
        shares: Values = (benchmark.passages.languages[lists] == benchmark.languages.index(self.language)).mean(axis=1)
        return shares


class OwnLanguageAdvantage(TopMeasure):
    """The share of a query's language in its results, minus that language's share in the results of its translations.

    Comparing a question with its translations cancels the subject of the question, the sizes of the pools and the
    attraction that a language has for all queries. 1 if every query finds only its own language, 0 if the query's
    language has no influence, negative if a query finds less of its language than its translations do.
    """

    kind, short = "own_language_advantage", "own-language advantage"
    definition = (
        "share of the k best passages in the query's own language, minus the share that the same language has for the "
        "translations of the query (their mean); no value (NaN) for a query without a translation. Ours"
    )
    direction, needs = Direction.ZERO, TopMeasure.needs | Needs.TRANSLATIONS
    scale = "share of the first ranks; 0 without bias, 1 at most"

    def __call__(self, benchmark: Benchmark, lists: NDArray[np.int64]) -> Values:
        queries, query_groups, own = np.arange(len(lists)), benchmark.query_groups, benchmark.queries.languages
        shown = np.zeros((len(lists), len(benchmark.languages)))  # passages of each language in each list
        np.add.at(shown, (queries[:, None], benchmark.passages.languages[lists]), 1)
        by_group = np.zeros((query_groups.max() + 1, len(benchmark.languages)))
        np.add.at(by_group, query_groups, shown)
        others = np.bincount(query_groups)[query_groups] - 1
        mine = shown[queries, own]
        theirs = by_group[query_groups, own] - mine
        # Integers up to the division, so that equal shares differ by exactly zero.
        return _divided(mine * others - theirs, others * lists.shape[1])


class RankCorrelation(TopMeasure):
    """Rank correlation between the result lists of a question and its translations.

    1 if a question finds the same passages in the same order in every language, -1 if the lists have nothing in common.
    """

    kind, short = "rank_correlation", "rank correlation"
    definition = (
        "mean over the translations of the query of the rank correlation of both lists of k passages, 1 - 2 K / K_max. "
        "K is Kendall's distance for top-k lists with the neutral penalty p = 1/2 (Fagin, Kumar and Sivakumar, "
        "Comparing top k lists, SIAM J. Discrete Math. 17, 2003), K_max = k^2 + p k (k - 1) that of lists with nothing "
        "in common; no value (NaN) for a query without a translation"
    )
    needs = TopMeasure.needs | Needs.TRANSLATIONS
    scale = "of the lists that translations of a question find; 1 without bias"

    def __call__(self, benchmark: Benchmark, lists: NDArray[np.int64]) -> Values:
        total, translations = np.zeros((2, len(lists)))
        for first, second in _translations(benchmark.query_groups, COMPARED_AT_ONCE // lists.shape[1] ** 2):
            correlation = 1 - 2 * kendall_distance(lists[first], lists[second])
            for side in (first, second):
                np.add.at(total, side, correlation)
                np.add.at(translations, side, 1)
        return _divided(total, translations)


def kendall_distance(first: NDArray[np.int64], second: NDArray[np.int64]) -> Values:
    """Kendall's distance with penalty 1/2 for N pairs of top-k lists, divided by the distance of disjoint lists.

    A pair of passages counts 1 if the lists order them differently, where a list ranks last what it lacks, and 1/2 if
    both are in the same list only, so that their order in the other is unknown.

    Args:
        first: int64 (N, k), distinct within a row, best first.
        second: the same.

    Returns:
        float64 (N,) from 0 (the same list) to 1 (nothing in common).
    """
    k = first.shape[1]
    same = first[:, :, None] == second[:, None, :]
    of_first = np.where(same.any(axis=2), same.argmax(axis=2), k)  # position in the other list, k if absent
    of_second = np.where(same.any(axis=1), same.argmax(axis=1), k)
    ahead, behind = np.triu_indices(k, 1)
    # Pairs that the lists order differently, counting absent passages as last. Pairs in both lists would occur twice
    # and are counted from the first list.
    opposed = (of_first[:, ahead] > of_first[:, behind]).sum(axis=1)
    opposed += ((of_second[:, ahead] == k) & (of_second[:, behind] < k)).sum(axis=1)
    unshared = (of_first == k).sum(axis=1)
    opposed += unshared**2  # one passage in the first list only, the other in the second only
    unknown = unshared * (unshared - 1)  # both in one list only, on either side
    distance: Values = (opposed + unknown / 2) / (k * k + k * (k - 1) / 2)
    return distance


def _translations(
    query_groups: NDArray[np.int64], at_once: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs of queries of the same query group, in portions."""
    order = np.argsort(query_groups, kind="stable")
    for shift in range(1, int(np.bincount(query_groups).max())):
        first, second = order[:-shift], order[shift:]
        pairs = np.flatnonzero(query_groups[first] == query_groups[second])
        for begin in range(0, len(pairs), max(1, at_once)):
            some = pairs[begin : begin + max(1, at_once)]
            yield first[some], second[some]


def _divided(numerator: Values, denominator: NDArray[np.int64] | Values) -> Values:
    """The quotient; NaN if the denominator is 0."""
    values: Values = np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)
    return values
