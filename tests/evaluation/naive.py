"""Plain references: full sorts and loops, no cleverness."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark


def ranks(benchmark: Benchmark, scores: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Own and pooled ranks of `benchmark.relevant`, each pool sorted by (score, id) descending."""
    ids, languages = benchmark.passages.ids, benchmark.passages.languages
    own, pooled = [], []
    for query in range(len(benchmark.queries)):
        best_first = sorted(range(len(ids)), key=lambda p: (scores[query, p], ids[p]), reverse=True)
        for passage in benchmark.relevant[benchmark.offsets[query] : benchmark.offsets[query + 1]]:
            same_language = [p for p in best_first if languages[p] == languages[passage]]
            own.append(1 + same_language.index(passage))
            pooled.append(1 + best_first.index(passage))
    return np.array(own), np.array(pooled)


def measure(name: str, relevant_ranks: Sequence[int], own: Sequence[bool] = ()) -> float:
    """The value of one query, straight from the definition; `own`: which ranks hold passages in its language."""
    kind, _, cut = name.partition("@")
    found, total = sorted(relevant_ranks), len(relevant_ranks)
    last = int(cut) if cut else math.inf
    kept = [rank for rank in found if rank <= last]
    grades = dict(zip(relevant_ranks, [2 if each else 1 for each in own], strict=True)) if kind == "lang_ndcg" else {}
    if kind == "map":
        return sum((index + 1) / rank for index, rank in enumerate(kept)) / total
    if kind in ("ndcg", "lang_ndcg"):
        best = enumerate(sorted((grades.get(rank, 1) for rank in found), reverse=True), start=1)
        ideal = sum(grade / math.log2(rank + 1) for rank, grade in best if rank <= last)
        return sum(grades.get(rank, 1) / math.log2(rank + 1) for rank in kept) / ideal
    if kind == "recall":
        return len(kept) / total
    if kind == "precision":
        return len(kept) / int(cut)
    if kind == "rr":
        return 1 / kept[0] if kept else 0.0
    if kind == "rank_distance":
        return float(found[-1] - found[0])
    if all(own) or not any(own):
        return math.nan
    first = float(dict(zip(relevant_ranks, own, strict=True))[found[0]])
    return first if kind == "language_preference_rate" else first - sum(own) / total
