"""One side of a training corpus, streamed past the evaluation texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store.storage import text_column
from hybrid_ir.data.store.tables import Contents
from hybrid_ir.leakage.sketch_index import Pairs, TextIndex
from hybrid_ir.leakage.sketches import Sketches

NEAR = 2 / 3  # Jaccard index of a near copy
WITNESSES = 16  # similar texts, beside those of the evaluation set, that tell what a formula is
_CHARACTERS = 2**18  # compared at a time: what this needs in memory
_SUSPECTS = 1024  # near copies of one evaluation text judged at a time
_PRUNED = 2**20  # pairs that are only similar, before all but the best are forgotten


@dataclass(frozen=True)
class Overlaps:
    """Texts of one side of a corpus that are copies of evaluation texts.

    Attributes:
        languages: int64 (P,), of the corpus.
        rows: int64 (P,), in `contents`.
        entries: int64 (P,), numbers of distinct evaluation texts.
        exact: bool (P,), whether the normal forms are equal; else they are nearly so.
        similarities: float32 (P,), Jaccard indices.
    """

    languages: NDArray[np.int64]
    rows: NDArray[np.int64]
    entries: NDArray[np.int64]
    exact: NDArray[np.bool_]
    similarities: NDArray[np.float32]


def find_copies(contents: Contents, index: TextIndex) -> Overlaps:
    """Exact and near copies, by language and row: a pure function of both.

    A near copy shares at least NEAR of its n-grams with an evaluation text, has the same numbers, and does not differ
    from it by the content of a slot (see `differ_by_a_slot`). The corpus is read once, from start to end; memory
    grows with the number of copies alone.
    """
    copies, similar, limit = _Collected(), _Collected(), _PRUNED
    for language, rows, texts in _portions(contents):
        pairs = index.find(Sketches.of(texts))
        copy = pairs.equal | (pairs.comparable & (pairs.similarities >= NEAR))
        copies.add(language, rows, pairs.select(copy))
        similar.add(language, rows, pairs.select(~pairs.equal))
        if similar.size > limit:
            similar.keep_best(WITNESSES)
            limit = max(_PRUNED, 2 * similar.size)
    similar.keep_best(WITNESSES)
    return _without_formulas(contents, index, copies.joined(), similar.joined())


class _Collected:
    """Pairs found so far."""

    def __init__(self) -> None:
        self._parts: list[Overlaps] = []
        self.size = 0

    def add(self, language: int, rows: NDArray[np.int64], pairs: Pairs) -> None:
        if len(pairs.texts):
            languages = np.full(len(pairs.texts), language)
            found = Overlaps(languages, rows[pairs.texts], pairs.entries, pairs.equal, pairs.similarities)
            self._parts.append(found)
            self.size += len(pairs.texts)

    def joined(self) -> Overlaps:
        none = np.empty(0, dtype=np.int64)
        empty = Overlaps(none, none, none, none.astype(np.bool_), none.astype(np.float32))
        columns = zip(*(_columns(part) for part in [empty, *self._parts]), strict=True)
        return Overlaps(*(np.concatenate(column) for column in columns))

    def keep_best(self, count: int) -> None:
        """Of each evaluation text the most similar ones; of equally similar ones the first."""
        found = self.joined()
        order = np.lexsort((found.rows, found.languages, -found.similarities, found.entries))
        entries = found.entries[order]
        place = np.arange(len(order)) - np.searchsorted(entries, entries)
        self._parts = [_at(found, order[place < count])]
        self.size = len(self._parts[0].rows)


def _portions(contents: Contents) -> Iterator[tuple[int, NDArray[np.int64], list[str]]]:
    """Number of the language, rows and texts, a few at a time."""
    start = 0
    for batch in contents.table.batches():
        for number, language in enumerate(contents.languages):
            column = batch[text_column(language)]
            rows = start + np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
            texts = column.drop_null().to_pylist()
            ends = np.cumsum([len(text) for text in texts])
            cuts = [0, *(np.flatnonzero(np.diff(ends // _CHARACTERS)) + 1).tolist(), len(texts)]
            for begin, end in pairwise(cuts):
                if begin < end:
                    yield number, rows[begin:end], texts[begin:end]
        start += batch.num_rows


def _without_formulas(contents: Contents, index: TextIndex, copies: Overlaps, similar: Overlaps) -> Overlaps:
    kept = copies.exact.copy()
    near = np.flatnonzero(~kept)
    near = near[np.argsort(copies.entries[near], kind="stable")]
    for places in np.split(near, np.flatnonzero(np.diff(copies.entries[near])) + 1) if len(near) else ():
        entry = int(copies.entries[places[0]])
        low, high = np.searchsorted(similar.entries, [entry, entry + 1])
        others = _texts(contents, _at(similar, np.arange(low, high))) + index.neighbours(entry)
        for start in range(0, len(places), _SUSPECTS):
            part = places[start : start + _SUSPECTS]
            suspects = _texts(contents, _at(copies, part))
            slots = len(others) >= NEEDED and differ_by_a_slot(index.members[entry][0].text, suspects, others)
            kept[part] = np.logical_not(slots)
    order = np.lexsort((copies.entries, copies.rows, copies.languages))
    return _at(copies, order[kept[order]])


def _texts(contents: Contents, found: Overlaps) -> list[str]:
    columns = [text_column(contents.languages[number]) for number in found.languages]
    return contents.table.strings(columns, found.rows)


def _columns(found: Overlaps) -> Sequence[NDArray]:
    return found.languages, found.rows, found.entries, found.exact, found.similarities


def _at(found: Overlaps, rows: NDArray[np.integer]) -> Overlaps:
    return Overlaps(*(column[rows] for column in _columns(found)))


FILLER = 3  # n-grams, at least, of what stands in a slot: nothing added or nothing left out is no other filler
NEEDED = 2  # similar texts with other contents
MOSTLY = 0.5  # of the n-grams by which two texts differ


def differ_by_a_slot(text: str, suspects: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the suspects differ from a text by the content of a slot.

    Let L be the n-grams of the text that a suspect lacks, and A those that the suspect has added. Another text shows a
    slot if it lacks most of L and has at most half of A: three texts, three fillers. L and A are of at least FILLER.

    Args:
        text: the evaluation text.
        suspects: S texts that are much like it.
        others: texts that are like it, the suspects among them or not.

    Returns:
        bool (S,): whether at least NEEDED different texts show a slot.
    """
    sketches = Sketches.of([text, *suspects, *others])
    vocabulary, columns = np.unique(sketches.grams, return_inverse=True)
    grams = np.zeros((len(sketches), len(vocabulary)), dtype=np.float32)
    grams[np.repeat(np.arange(len(sketches)), sketches.sizes), columns] = 1
    own, suspect, witness = grams[0], grams[1 : 1 + len(suspects)], grams[1 + len(suspects) :]
    _, first = np.unique(sketches.digests[1 + len(suspects) :], return_index=True)
    witness = witness[first]
    lost, added = own * (1 - suspect), (1 - own) * suspect
    lost_too, added_too = lost @ (1 - witness).T, added @ witness.T
    lost_in_all, added_in_all = lost.sum(axis=1, keepdims=True), added.sum(axis=1, keepdims=True)
    filled = np.minimum(lost_in_all, added_in_all) >= FILLER
    shows = filled & (lost_too > MOSTLY * lost_in_all) & (added_too <= MOSTLY * added_in_all)
    return np.asarray(shows.sum(axis=1) >= NEEDED)
