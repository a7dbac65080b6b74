"""Measures: what the ranks of a query's relevant passages are worth. Relevance is binary, ranks count from 1.

With R relevant passages at ranks r_1 < r_2 < ... < r_R, and `@k` meaning that only ranks up to k are looked at:

- `map`, `map@k`: average precision, (1/R) sum over i of i / r_i. The divisor is R, also with a cut (trec_eval's `map`
  and `map_cut_k`; not min(k, R)). The paper's mAP is `map`, over the full ranking.
- `ndcg`, `ndcg@k`: sum of 1 / log2(r_i + 1) over the same sum for the ideal ranking 1, 2, ..., min(R, k) (trec_eval:
  `ndcg_cut_k`).
- `recall@k`: share of the R relevant passages at ranks up to k (`recall_k`).
- `precision@k`: relevant passages at ranks up to k, divided by k (`P_k`).
- `rr`, `rr@k`: 1 / r_1, or 0 beyond the cut (`recip_rank`).
- `rank_distance`: r_R - r_1 in the pool of all languages, the language bias of Elmahdy et al. (arXiv:2408.10536). Lower
  is better.

Three measures ask which of a query's relevant passages, translations of each other, comes first in that pool. MLAIRE
(arXiv:2605.07249) names a language preference rate and a Lang-nDCG; its formulas were not at hand, so these are OURS,
and numbers are not to be compared with its own:

- `language_preference_rate`: 1 where the best-ranked relevant passage is in the query's language, else 0. No value
  (NaN) for a query without relevant passages both in its own and in another language.
- `language_preference_excess`: the same minus the share of relevant passages that are in the query's language, which is
  its expectation where every order of them is as likely. 0 where the language does not matter.
- `lang_ndcg`, `lang_ndcg@k`: nDCG of Järvelin and Kekäläinen (TOIS 20, 2002) with gain 2 for a relevant passage in the
  query's language and 1 in another: trec_eval's `ndcg_cut` on qrels with these grades.

`language_share@k`, `own_language_advantage@k` and `rank_correlation@k` look at the k best passages of the pool of all
languages, relevant or not; `hybrid_ir.evaluation.measures.bias` defines and computes them. A passage that was not
retrieved has a rank above `NO_CUT` and is worth nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.nearest import nearest

Values = NDArray[np.float64]
NO_CUT = 2**62
SHARE = "language_share"
PREFERENCE = ("language_preference_rate", "language_preference_excess")


@dataclass(frozen=True)
class RankLists:
    """Ranks of the relevant passages of some queries in one pool.

    Attributes:
        offsets: int64 (Q + 1,); query q's ranks are `ranks[offsets[q]:offsets[q + 1]]`. Every query has at least one.
        ranks: int64 (R,), 1-based, ascending and distinct within a query.
        own: bool (R,), whether each passage is in the language of its query; None where languages are not known.
    """

    offsets: NDArray[np.int64]
    ranks: NDArray[np.int64]
    own: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        assert self.offsets[0] == 0 and self.offsets[-1] == len(self.ranks)
        assert (self.counts > 0).all(), "a query without a relevant passage has no value"
        ascending = np.diff(self.ranks) > 0
        ascending[self.offsets[1:-1] - 1] = True  # from one query to the next anything goes
        assert ascending.all() and (self.ranks > 0).all()
        assert self.own is None or len(self.own) == len(self.ranks)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Relevant passages of each query: int64 (Q,)."""
        return np.diff(self.offsets)

    def sums(self, values: NDArray[np.floating] | NDArray[np.bool_]) -> Values:
        """Sum of `values` (R,) over each query: float64 (Q,)."""
        query = np.repeat(np.arange(len(self.counts)), self.counts)
        return np.bincount(query, weights=values, minlength=len(self.counts)).astype(np.float64)


@dataclass(frozen=True)
class Measure:
    """A named definition; call one of `KINDS` to get one float64 value a query.

    Attributes:
        kind: one of `KINDS` or `TOP_KINDS`.
        cutoff: the k of `@k`, or None.
        language: of `language_share_de@10`, the language whose share is meant; None otherwise.
    """

    kind: str
    cutoff: int | None = None
    language: str | None = None

    @classmethod
    def parse(cls, name: str) -> "Measure":
        """The measure of that name (`map`, `ndcg@10`).

        Raises:
            ValueError: unknown name (says the nearest), or a cut-off where there can be none or where one is needed.
        """
        match = re.fullmatch(r"(.+?)(?:@([1-9]\d*))?", name)
        kind, cutoff = (match[1], match[2]) if match else (name, None)
        language = None
        if kind.startswith(f"{SHARE}_"):
            kind, language = SHARE, kind.removeprefix(f"{SHARE}_")
        if kind not in (*KINDS, *TOP_KINDS):
            known = [kind for kind in KINDS if kind not in NEEDS_CUTOFF] + [f"{kind}@10" for kind in TAKES_CUTOFF]
            near = nearest(name.lower(), known, cutoff=0.5)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)} (any k after @)"
            raise ValueError(f"unknown measure {name!r}; {hint}")
        if cutoff is None and kind in NEEDS_CUTOFF:
            raise ValueError(f"measure {name!r} needs a cut-off, such as {kind}@10")
        if cutoff is not None and kind not in TAKES_CUTOFF:
            raise ValueError(f"measure {name!r}: {kind} is defined over the full ranking and takes no cut-off")
        return cls(kind, int(cutoff) if cutoff else None, language)

    @property
    def name(self) -> str:
        kind = self.kind if self.language is None else f"{self.kind}_{self.language}"
        return kind if self.cutoff is None else f"{kind}@{self.cutoff}"

    @property
    def compares_languages(self) -> bool:
        """Whether the measure has a meaning in the pool of all languages alone."""
        return self.kind == "rank_distance" or self.needs_languages

    @property
    def needs_languages(self) -> bool:
        """Whether the languages of queries and passages decide its values."""
        return self.kind in (*PREFERENCE, "lang_ndcg") or self.of_top

    @property
    def of_top(self) -> bool:
        """Whether the measure looks at the best passages, relevant or not, instead of ranks."""
        return self.kind in TOP_KINDS

    def __call__(self, lists: RankLists) -> Values:
        return KINDS[self.kind](lists, self.cutoff or NO_CUT)


def _average_precision(lists: RankLists, cutoff: int) -> Values:
    place = np.arange(1, len(lists.ranks) + 1) - np.repeat(lists.offsets[:-1], lists.counts)
    return lists.sums(np.where(lists.ranks <= cutoff, place / lists.ranks, 0.0)) / lists.counts


def _ndcg(lists: RankLists, cutoff: int) -> Values:
    return lists.sums(_discounted(lists, cutoff)) / _ideal(lists.counts, cutoff)


def _lang_ndcg(lists: RankLists, cutoff: int) -> Values:
    assert lists.own is not None
    found = lists.sums(_discounted(lists, cutoff) * (1 + lists.own))
    # The best ranking has the passages in the query's language first: a gain of 1 for each passage, 1 more for these.
    return found / (_ideal(lists.counts, cutoff) + _ideal(lists.sums(lists.own).astype(np.int64), cutoff))


def _discounted(lists: RankLists, cutoff: int) -> Values:
    """What a gain of 1 is worth at each rank: float64 (R,), 0 beyond the cut."""
    return np.where(lists.ranks <= cutoff, 1 / np.log2(lists.ranks + 1.0), 0.0)


def _ideal(counts: NDArray[np.int64], cutoff: int) -> Values:
    """Sum of the discounts at ranks 1 to `counts`, up to the cut: float64, as `counts`."""
    sums = np.cumsum(1 / np.log2(np.arange(2.0, counts.max() + 2)))
    values: Values = np.concatenate([[0.0], sums])[np.minimum(counts, cutoff)]
    return values


def _recall(lists: RankLists, cutoff: int) -> Values:
    return lists.sums(lists.ranks <= cutoff) / lists.counts


def _precision(lists: RankLists, cutoff: int) -> Values:
    return lists.sums(lists.ranks <= cutoff) / cutoff


def _reciprocal_rank(lists: RankLists, cutoff: int) -> Values:
    best = lists.ranks[lists.offsets[:-1]]
    return np.where(best <= cutoff, 1 / best, 0.0)


def _rank_distance(lists: RankLists, _: int) -> Values:
    best, worst = lists.ranks[lists.offsets[:-1]], lists.ranks[lists.offsets[1:] - 1]
    return (worst - best).astype(np.float64)


def _language_preference_rate(lists: RankLists, _: int) -> Values:
    assert lists.own is not None
    own = lists.sums(lists.own)
    return np.where((own > 0) & (own < lists.counts), lists.own[lists.offsets[:-1]], np.nan)


def _language_preference_excess(lists: RankLists, cutoff: int) -> Values:
    assert lists.own is not None
    return _language_preference_rate(lists, cutoff) - lists.sums(lists.own) / lists.counts


KINDS: dict[str, Callable[[RankLists, int], Values]] = {
    "map": _average_precision,
    "ndcg": _ndcg,
    "recall": _recall,
    "precision": _precision,
    "rr": _reciprocal_rank,
    "rank_distance": _rank_distance,
    "language_preference_rate": _language_preference_rate,
    "language_preference_excess": _language_preference_excess,
    "lang_ndcg": _lang_ndcg,
}
TOP_KINDS = (SHARE, "own_language_advantage", "rank_correlation")
NEEDS_CUTOFF = ("recall", "precision", *TOP_KINDS)
TAKES_CUTOFF = ("map", "ndcg", "recall", "precision", "rr", "lang_ndcg", *TOP_KINDS)
