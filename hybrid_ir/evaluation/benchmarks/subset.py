"""Seeded samples of a corpus, and of a benchmark for frequent evaluation during training.

A sample depends only on the seed and on ids, not on the order of files or on other samples.
"""

import hashlib
import heapq
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.formats.passages import Corpus

SUFFIX = "_subset"
VERSION = 1  # raise it when the draw of passages or their texts change


def subset(benchmark: Benchmark, queries: int, passages: int, seed: int) -> Benchmark:
    """A random part of a benchmark, the same in every process and every evaluation.

    Args:
        benchmark: the full benchmark.
        queries: number of query groups of each language; a drawn question keeps its translations.
        passages: number of passages of each language, in addition to all relevant passages of the queries.
        seed: seed of both samples.

    Returns:
        A benchmark named `{name}_subset`. Its smaller pools are easier, so its scores are not the benchmark's.

    Raises:
        ValueError: `queries` is below 1, `passages` below 0, or no drawn query has a relevant passage in one of the
            benchmark's kinds of setting.
    """
    if queries < 1 or passages < 0:
        raise ValueError(f"a subset must have at least 1 query and 0 passages, got {queries} and {passages}")
    asked = _queries(benchmark, queries, seed)
    counts = np.diff(benchmark.offsets)[asked]
    rows = np.concatenate([np.arange(benchmark.offsets[q], benchmark.offsets[q + 1]) for q in asked])
    relevant = benchmark.relevant[rows]
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
        ignored=None if benchmark.ignored is None else _moved(benchmark.ignored[asked], pool),
        grades=None if benchmark.grades is None else benchmark.grades[rows],
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
    ]  # by query group: the same questions in all languages
    return _drawn(benchmark, benchmark.queries, names, range(len(names)), size, seed)


def _passages(benchmark: Benchmark, always: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """Positions of the passages, ascending: `always`, and `size` others of each language."""
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


def _moved(positions: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
    """The positions in a part of the passages; -1 for those that are not in it."""
    return np.where(np.isin(positions, pool), np.searchsorted(pool, positions), -1)


def _check_settings(part: Benchmark) -> None:
    for kind in part.settings:
        if kind not in part.possible_settings:
            raise ValueError(
                f"{part.name}: none of its {len(part.queries)} queries has a relevant passage in a {kind} pool; "
                "draw more with eval.subset.queries"
            )


def first_by_hash(ids: Iterable[str], size: int | None, seed: int) -> set[str]:
    """A sample without replacement: the `size` ids with the smallest hash of seed and id; all ids for None.

    A larger sample of the same seed contains a smaller one.
    """
    return set(ids) if size is None else set(heapq.nsmallest(size, ids, key=lambda key: _hash(key, seed)))


def sampled_passages(
    corpus: Corpus, always: Collection[str], size: int | None, seed: int, cache: str | Path | None = None
) -> dict[str, str]:
    """Id -> text of those passages in `always` that the corpus has, and of a sample of the others.

    Only the returned passages are held in memory.

    Args:
        corpus: read once, from start to end.
        always: ids of passages to take in any case.
        size: size of the sample; None for all passages.
        seed: seed of the sample.
        cache: folder that keeps drawn passages; they are valid while name, size and date of the files are the same.

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
    largest: list[tuple[int, str]] = []  # a heap of the drawn ids, the largest hash first
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
