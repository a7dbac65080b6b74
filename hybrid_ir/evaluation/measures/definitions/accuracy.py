"""Measures of retrieval quality, for any pool: MAP, nDCG, recall, precision and reciprocal rank.

Ranks count from 1. A query has R relevant passages at ranks r_1 < r_2 < ... < r_R with grades g_1, g_2, ..., which only
nDCG uses; `@k` means that only ranks up to k count. A passage that was not retrieved has a rank above `NO_CUT` and adds
nothing.
"""

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.measures.measures import Cutoff, RankMeasure
from hybrid_ir.evaluation.measures.rank_lists import RankLists, Values


class AveragePrecision(RankMeasure):
    """The mean precision at the ranks of all relevant passages."""

    kind, short = "map", "mAP"
    definition = (
        "(1/R) sum over i of i / r_i. The divisor is R, also with a cut: trec_eval's `map` and `map_cut_k`, not "
        "min(k, R). The paper's mAP is `map`, over the full ranking"
    )

    def __call__(self, lists: RankLists) -> Values:
        ordinal = np.arange(1, len(lists.ranks) + 1) - np.repeat(lists.offsets[:-1], lists.counts)
        return lists.sums(np.where(lists.ranks <= self.last, ordinal / lists.ranks, 0.0)) / lists.counts


class NDCG(RankMeasure):
    """The discounted cumulative gain of the ranking, divided by the best possible one."""

    kind, short, graded = "ndcg", "nDCG", True
    definition = (
        "sum of g_i / log2(r_i + 1) over the same sum for the ideal ranking, with the grades in falling order at ranks "
        "1, 2, ..., min(R, k) (Järvelin and Kekäläinen, TOIS 20, 2002; trec_eval's `ndcg_cut_k`)"
    )

    def __call__(self, lists: RankLists) -> Values:
        if lists.grades is None:
            return lists.sums(discounted(lists, self.last)) / ideal(lists.counts, self.last)
        return lists.sums(lists.grades * discounted(lists, self.last)) / ideal_graded(lists, self.last)


class Recall(RankMeasure):
    """The share of the relevant passages that are among the first k."""

    kind, short = "recall", "R"
    definition = "share of the R relevant passages at ranks up to k (trec_eval's `recall_k`)"
    cut = Cutoff.REQUIRED

    def __call__(self, lists: RankLists) -> Values:
        return lists.sums(lists.ranks <= self.last) / lists.counts


class Precision(RankMeasure):
    """The share of the first k passages that are relevant."""

    kind, short = "precision", "P"
    definition = "relevant passages at ranks up to k, divided by k (trec_eval's `P_k`)"
    cut = Cutoff.REQUIRED

    def __call__(self, lists: RankLists) -> Values:
        return lists.sums(lists.ranks <= self.last) / self.last


class ReciprocalRank(RankMeasure):
    """One over the rank of the first relevant passage."""

    kind, short = "rr", "MRR"
    definition = "1 / r_1, or 0 beyond the cut (trec_eval's `recip_rank`)"

    def __call__(self, lists: RankLists) -> Values:
        best = lists.ranks[lists.offsets[:-1]]
        return np.where(best <= self.last, 1 / best, 0.0)


def discounted(lists: RankLists, last: int) -> Values:
    """The discount at each rank: float64 (R,), 0 beyond the rank `last`."""
    return np.where(lists.ranks <= last, 1 / np.log2(lists.ranks + 1.0), 0.0)


def ideal(counts: NDArray[np.int64], last: int) -> Values:
    """The sum of the discounts at ranks 1 to `counts`, at most to the rank `last`: float64, shape of `counts`."""
    sums = np.cumsum(1 / np.log2(np.arange(2.0, counts.max() + 2)))
    values: Values = np.concatenate([[0.0], sums])[np.minimum(counts, last)]
    return values


def ideal_graded(lists: RankLists, last: int) -> Values:
    """The discounted sum of the grades in falling order, at most to the rank `last`: float64 (Q,)."""
    assert lists.grades is not None
    query = np.repeat(np.arange(len(lists.counts)), lists.counts)
    falling = lists.grades[np.lexsort((-lists.grades, query))]
    ranks = np.arange(1, len(query) + 1) - lists.offsets[query]
    return lists.sums(np.where(ranks <= last, falling / np.log2(ranks + 1.0), 0.0))
