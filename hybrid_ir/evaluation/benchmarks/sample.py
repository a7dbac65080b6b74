"""Seeded samples that depend on ids alone: not on the order of files, nor on what else is drawn."""

import hashlib
import heapq
import json
from collections.abc import Collection, Iterable
from pathlib import Path

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.formats.passages import Corpus

VERSION = 1  # raise it when the draw or the texts change


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
    marks = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in corpus.files]
    facts = [VERSION, corpus.language, marks, sorted(always), size, seed]
    mark = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    path = Path(cache) / f"{corpus.language}-{mark}.json"
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
