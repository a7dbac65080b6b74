"""Seeded samples that depend on ids alone: of a corpus, and of a benchmark, cheap enough for every few hundred steps.

A sample depends neither on the order of files nor on what else is drawn.
"""

import hashlib
import heapq
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark, TextSet
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.formats.passages import Corpus

SUFFIX = "_subset"
VERSION = 1  # raise it when the draw of passages or their texts change


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


def first_by_hash(ids: Iterable[str], size: int | None, seed: int) -> set[str]:
    """The `size` ids with the smallest hash of seed and id: a sample without replacement; all ids for None.

    A larger sample of the same seed contains a smaller one.
    """
    return set(ids) if size is None else set(heapq.nsmallest(size, ids, key=lambda key: _hash(key, seed)))


def sampled_passages(
    corpus: Corpus, always: Collection[str], size: int | None, seed: int, cache: str | Path | None = None
) -> dict[str, str]:
    """Id -> text of the passages in `always` (as far as the corpus has them) and of a sample of the others.

    Memory: the passages that are returned, however many are read.

    Args:
        corpus: read once, from start to end.
        always: ids.
        size: of the sample; None for all passages.
        seed: of the sample.
        cache: folder for what was drawn. It is found again as long as name, size and date of the files stay the same.

    Raises:
        InputError: a line is faulty, or an id of the sample occurs twice.
    """
    if cache is None or size is None:
        return _draw(corpus, always, size, seed)
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in corpus.files]
    facts = [VERSION, corpus.language, files, sorted(always), size, seed]
    fingerprint = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    path = Path(cache) / f"{corpus.language}-{fingerprint}.json"
    if not path.is_file():
        drawn = _draw(corpus, always, size, seed)
        with replacing(path) as draft:
            draft.write_text(json.dumps(drawn, ensure_ascii=False), encoding="utf-8")
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _draw(corpus: Corpus, always: Collection[str], size: int | None, seed: int) -> dict[str, str]:
    kept: dict[str, str] = {}
    drawn: dict[str, str] = {}
    largest: list[tuple[int, str]] = []  # a heap of what is drawn, the largest hash first
    for block in corpus.blocks(4096):
        for line in block:
            key, text = corpus.parse(line)
            if key in kept or key in drawn:
                raise line.fault(f"passage id {key!r} occurs twice")
            if size is None or key in always:
                kept[key] = text
            elif size:
                entry = (-_hash(key, seed), key)
                if len(drawn) == size:
                    drawn[key] = text
                    del drawn[heapq.heappushpop(largest, entry)[1]]
                else:
                    heapq.heappush(largest, entry)
                    drawn[key] = text
    return kept | drawn


def _hash(key: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest())
