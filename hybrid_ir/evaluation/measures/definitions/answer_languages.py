"""Measures of language bias in the ranks of a query's relevant passages, which are translations of each other.

The pool is that of all languages. MLAIRE (arXiv:2605.07249) names a language preference rate and a Lang-nDCG; we did
not have its formulas, so these are OURS, and numbers must not be compared with MLAIRE's.
"""

import numpy as np

from hybrid_ir.evaluation.measures.definitions.accuracy import discounted, ideal
from hybrid_ir.evaluation.measures.measures import Cutoff, Direction, Needs, RankLists, RankMeasure, Unit, Values


class RankDistance(RankMeasure):
    """The distance in ranks between the first and the last relevant passage."""

    kind, short = "rank_distance", "rank distance"
    definition = "r_R - r_1, the language bias of Elmahdy, Lin and Ahmad (arXiv:2408.10536)"
    direction, unit, cut, needs = Direction.LOWER, Unit.RANKS, Cutoff.NONE, Needs.ALL_LANGUAGES
    scale = "ranks; at the least the relevant passages of the question less one"

    def __call__(self, lists: RankLists) -> Values:
        best, worst = lists.ranks[lists.offsets[:-1]], lists.ranks[lists.offsets[1:] - 1]
        return (worst - best).astype(np.float64)


class LanguagePreferenceRate(RankMeasure):
    """The share of queries whose best-ranked relevant passage is in the query's language."""

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
    """The language preference rate minus its expectation by chance."""

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
        # The best ranking has passages in the query's language first: gain 1 for each passage, plus 1 for these.
        own = lists.sums(lists.own).astype(np.int64)
        return found / (ideal(lists.counts, self.last) + ideal(own, self.last))
