"""Search for exact and near copies of evaluation texts in one side of a training corpus.

A near copy is not the same as a similar text: "the currency of Japan", "... of Peru" and "... of Chad" share a formula
and differ in its slot. Similarity alone cannot tell a damaged copy from another fact in the same words; other similar
texts can. If a third text also differs at that position, and differently, the position is a slot, and its content is
what the text says. If the other similar texts agree with the evaluation text there, the position belongs to the wording
and the difference is damage. Without other similar texts there is no formula, and similarity decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store.storage import text_column
from hybrid_ir.data.store.tables import Contents
from hybrid_ir.leakage.evaluation_texts import Pairs, TextIndex
from hybrid_ir.leakage.sketches import Sketches

NEAR = 2 / 3  # smallest Jaccard index of a near copy
WITNESSES = 16  # similar texts of the corpus that are used to detect formulas, besides evaluation texts
_CHARACTERS = 2**18  # compared at a time, which bounds the memory
_SUSPECTS = 1024  # near copies of one evaluation text that are examined at a time
_PRUNED = 2**20  # similar pairs that are kept before all but the best are discarded


@dataclass(frozen=True)
class Copies:
    """P texts of one side of a corpus that are copies of evaluation texts.

    Attributes:
        languages: int64 (P,), positions in the corpus' languages.
        rows: int64 (P,), rows in `contents`.
        entries: int64 (P,), positions of the evaluation texts among the distinct ones.
        exact: bool (P,), whether the normal forms are equal (otherwise nearly equal).
        similarities: float32 (P,), Jaccard indices.
    """

    languages: NDArray[np.int64]
    rows: NDArray[np.int64]
    entries: NDArray[np.int64]
    exact: NDArray[np.bool_]
    similarities: NDArray[np.float32]


def find_copies(contents: Contents, index: TextIndex) -> Copies:
    """Exact and near copies of evaluation texts, sorted by language and row. A pure function of both arguments.

    A near copy has a Jaccard index of at least NEAR with an evaluation text, contains the same numbers, and does not
    differ from it in the content of a slot (see `differ_by_a_slot`). The corpus is read once, from start to end. Memory
    grows only with the number of copies.
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
    """Collector of the pairs found so far."""

    def __init__(self) -> None:
        self._parts: list[Copies] = []
        self.size = 0

    def add(self, language: int, rows: NDArray[np.int64], pairs: Pairs) -> None:
        if len(pairs.texts):
            languages = np.full(len(pairs.texts), language)
            found = Copies(languages, rows[pairs.texts], pairs.entries, pairs.equal, pairs.similarities)
            self._parts.append(found)
            self.size += len(pairs.texts)

    def joined(self) -> Copies:
        none = np.empty(0, dtype=np.int64)
        empty = Copies(none, none, none, none.astype(np.bool_), none.astype(np.float32))
        columns = zip(*(_columns(part) for part in [empty, *self._parts]), strict=True)
        return Copies(*(np.concatenate(column) for column in columns))

    def keep_best(self, count: int) -> None:
        """Keep the `count` most similar texts of each evaluation text; among equally similar ones, the first."""
        found = self.joined()
        order = np.lexsort((found.rows, found.languages, -found.similarities, found.entries))
        entries = found.entries[order]
        rank = np.arange(len(order)) - np.searchsorted(entries, entries)
        self._parts = [_at(found, order[rank < count])]
        self.size = len(self._parts[0].rows)


def _portions(contents: Contents) -> Iterator[tuple[int, NDArray[np.int64], list[str]]]:
    """Position of the language, rows and texts, in portions of bounded size."""
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


def _without_formulas(contents: Contents, index: TextIndex, copies: Copies, similar: Copies) -> Copies:
    kept = copies.exact.copy()
    near = np.flatnonzero(~kept)
    near = near[np.argsort(copies.entries[near], kind="stable")]
    for group in np.split(near, np.flatnonzero(np.diff(copies.entries[near])) + 1) if len(near) else ():
        entry = int(copies.entries[group[0]])
        low, high = np.searchsorted(similar.entries, [entry, entry + 1])
        others = _texts(contents, _at(similar, np.arange(low, high))) + index.neighbours(entry)
        for start in range(0, len(group), _SUSPECTS):
            part = group[start : start + _SUSPECTS]
            suspects = _texts(contents, _at(copies, part))
            slots = len(others) >= NEEDED and differ_by_a_slot(index.members[entry][0].text, suspects, others)
            kept[part] = np.logical_not(slots)
    order = np.lexsort((copies.entries, copies.rows, copies.languages))
    return _at(copies, order[kept[order]])


def _texts(contents: Contents, found: Copies) -> list[str]:
    columns = [text_column(contents.languages[number]) for number in found.languages]
    return contents.table.strings(columns, found.rows)


def _columns(found: Copies) -> Sequence[NDArray]:
    return found.languages, found.rows, found.entries, found.exact, found.similarities


def _at(found: Copies, rows: NDArray[np.integer]) -> Copies:
    return Copies(*(column[rows] for column in _columns(found)))


FILLER = 3  # smallest number of n-grams of a slot's content: mere additions or omissions are not a slot
NEEDED = 2  # similar texts that must show a slot
MOSTLY = 0.5  # share of the n-grams in which two texts differ


def differ_by_a_slot(text: str, suspects: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Whether suspected copies differ from a text only in the content of a slot.

    Let L be the n-grams of the text that a suspect lacks, and A those that the suspect adds. Another text shows a slot
    if it lacks most of L and has at most half of A: three texts, three fillers. L and A must have at least FILLER
    n-grams.

    Args:
        text: the evaluation text.
        suspects: S texts that are very similar to it.
        others: texts that are similar to it; they may include the suspects.

    Returns:
        bool (S,): whether at least NEEDED distinct texts show a slot.
    """
    sketches = Sketches.of([text, *suspects, *others])
    vocabulary, columns = np.unique(sketches.grams, return_inverse=True)
    grams = np.zeros((len(sketches), len(vocabulary)), dtype=np.float32)
    grams[np.repeat(np.arange(len(sketches)), sketches.sizes), columns] = 1
    asked, suspect, witness = grams[0], grams[1 : 1 + len(suspects)], grams[1 + len(suspects) :]
    _, first = np.unique(sketches.fingerprints[1 + len(suspects) :], return_index=True)
    witness = witness[first]
    lost, added = asked * (1 - suspect), (1 - asked) * suspect
    lost_too, added_too = lost @ (1 - witness).T, added @ witness.T
    lost_in_all, added_in_all = lost.sum(axis=1, keepdims=True), added.sum(axis=1, keepdims=True)
    filled = np.minimum(lost_in_all, added_in_all) >= FILLER
    shows = filled & (lost_too > MOSTLY * lost_in_all) & (added_too <= MOSTLY * added_in_all)
    return np.asarray(shows.sum(axis=1) >= NEEDED)
