"""A fixed part of a benchmark, cheap enough to be judged every few hundred steps, under a name of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark, TextSet
from hybrid_ir.evaluation.benchmarks.sample import first_by_hash

SUFFIX = "_subset"


def subset(benchmark: Benchmark, queries: int, passages: int, seed: int) -> Benchmark:
    """The part of a benchmark that seed and ids decide; the same for every process and every evaluation.

    Args:
        benchmark: what the part is taken of.
        queries: query groups of each language. What is asked is drawn, not how: a question keeps its translations.
        passages: of each language, besides all relevant passages of the queries.
        seed: of both draws.

    Returns:
        a benchmark called `{name}_subset`: smaller pools are easier to rank, so its scores are not the benchmark's.

    Raises:
        ValueError: `queries` is below 1, `passages` below 0, or no query that was drawn has a relevant passage in one
            of the benchmark's kinds of setting.
    """
    if queries < 1 or passages < 0:
        raise ValueError(f"a subset of {queries} queries and {passages} passages: at least 1 query and 0 passages")
    asked = _queries(benchmark, queries, seed)
    counts = np.diff(benchmark.offsets)[asked]
    relevant = np.concatenate([benchmark.relevant[benchmark.offsets[q] : benchmark.offsets[q + 1]] for q in asked])
    pool = _passages(benchmark, np.unique(relevant), passages, seed)
    note = (
        f"{len(asked)} of {len(benchmark.queries)} queries and {len(pool)} of {len(benchmark.passages)} passages, "
        f"drawn by seed {seed}: scores are not those of {benchmark.name}"
    )
    part = replace(
        benchmark,
        name=f"{benchmark.name}{SUFFIX}",
        queries=_part(benchmark.queries, asked),
        passages=_part(benchmark.passages, pool),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        relevant=np.searchsorted(pool, relevant),
        query_groups=benchmark.query_groups[asked],
        notes=(*benchmark.notes, note),
    )
    _check_settings(part)
    return part


def _queries(benchmark: Benchmark, size: int, seed: int) -> NDArray[np.int64]:
    """Positions of the queries, ascending."""
    _, first, query_group = np.unique(benchmark.query_groups, return_index=True, return_inverse=True)
    names = [
        benchmark.queries.ids[position] for position in first[query_group]
    ]  # of what is asked: the same in all languages
    return _drawn(benchmark, benchmark.queries, names, range(len(names)), size, seed)


def _passages(benchmark: Benchmark, always: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """Positions of the passages, ascending: those of `always`, and of each language `size` others."""
    others = np.setdiff1d(np.arange(len(benchmark.passages)), always)
    drawn = _drawn(benchmark, benchmark.passages, benchmark.passages.ids, others, size, seed)
    return np.union1d(always, drawn)


def _drawn(
    benchmark: Benchmark, texts: TextSet, names: Sequence[str], candidates: Iterable[int], size: int, seed: int
) -> NDArray[np.int64]:
    by_language: list[list[int]] = [[] for _ in benchmark.languages]
    for position in candidates:
        by_language[texts.languages[position]].append(int(position))
    kept: list[int] = []
    for positions in by_language:
        chosen = first_by_hash({names[position] for position in positions}, size, seed)
        kept += [position for position in positions if names[position] in chosen]
    return np.array(sorted(kept), dtype=np.int64)


def _part(texts: TextSet, positions: NDArray[np.int64]) -> TextSet:
    ids, strings = ([side[position] for position in positions] for side in (texts.ids, texts.texts))
    return TextSet(tuple(ids), tuple(strings), texts.languages[positions])


def _check_settings(part: Benchmark) -> None:
    for kind in part.settings:
        if kind not in part.possible_settings:
            raise ValueError(
                f"{part.name}: none of its {len(part.queries)} queries has a relevant passage in a {kind} pool; "
                "draw more with eval.subset.queries"
            )
