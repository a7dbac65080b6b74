"""Evaluation texts, which must not occur in training, and an index of their sketches, which finds copies."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybrid_ir.data.corpus import Side
from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet
from hybrid_ir.leakage.sketches import BANDS, LEAST, ROWS, Sketches, distinct


@dataclass(frozen=True)
class EvaluationText:
    """A query or passage of a benchmark.

    Attributes:
        benchmark: name of the benchmark.
        language: language code.
        key: id of the text in the benchmark.
        text: the text, as in the benchmark.
        answers: whether it is a passage that is relevant to a query.
        templated: whether only exact copies count, because the text is made from a template (see `Benchmark`).
    """

    benchmark: str
    language: str
    key: str
    text: str
    answers: bool = False
    templated: bool = False


def evaluation_texts(benchmarks: Iterable[EvaluationSet], side: Side) -> list[EvaluationText]:
    """All queries (side `question`) or passages of benchmarks; only the queries of benchmarks on disk."""
    return [
        EvaluationText(benchmark.name, text.language, text.id, text.text, text.relevant, benchmark.templated)
        for benchmark in benchmarks
        for text in benchmark.texts("query" if side == "question" else "passage")
    ]


def texts_fingerprint(texts: Sequence[EvaluationText]) -> str:
    """SHA-256 of everything about the evaluation texts that a comparison depends on."""
    content = hashlib.sha256()
    for text in texts:
        content.update(repr(text).encode("utf-8", "surrogatepass"))
    return content.hexdigest()


SIMILAR = 0.5  # Jaccard index from which texts share their wording
_ESTIMATED = SIMILAR - 0.15  # estimate from signatures, with a standard error of at most 0.073
_CHUNK = 2**17  # pairs compared at a time


@dataclass(frozen=True)
class Pairs:
    """Pairs of a text and a similar evaluation text.

    Attributes:
        texts: int64 (P,), positions of the texts, ascending.
        entries: int64 (P,), positions of the evaluation texts among the distinct ones.
        similarities: float32 (P,), Jaccard indices of the n-grams; 1 if the normal forms are equal.
        equal: bool (P,), whether the normal forms are equal.
        comparable: bool (P,), whether the numbers in both texts are the same.
    """

    texts: NDArray[np.int64]
    entries: NDArray[np.int64]
    similarities: NDArray[np.float32]
    equal: NDArray[np.bool_]
    comparable: NDArray[np.bool_]

    def select(self, rows: NDArray) -> "Pairs":
        return Pairs(*(column[rows] for column in self.columns))

    @property
    def columns(self) -> tuple[NDArray, ...]:
        return self.texts, self.entries, self.similarities, self.equal, self.comparable


class TextIndex:
    """Index of the distinct evaluation texts of one side. Texts with an empty normal form are never found.

    Args:
        texts: evaluation texts of all benchmarks and languages, at least one. Language codes do not count: a copy under
            another code is a copy.
    """

    def __init__(self, texts: Sequence[EvaluationText]) -> None:
        sketches = Sketches.of([text.text for text in texts])
        fingerprints, first, inverse = np.unique(sketches.fingerprints, return_index=True, return_inverse=True)
        self.sketches = sketches.select(first)
        self.fingerprints = fingerprints
        self.members: list[list[EvaluationText]] = [[] for _ in first]
        """For each distinct text, the evaluation texts that have it."""
        for text, entry in zip(texts, inverse.tolist(), strict=True):
            self.members[entry].append(text)
        self._vocabulary = np.unique(self.sketches.grams)
        self._grams = self._matrix(self.sketches)
        self._similar: Pairs | None = None
        templated = np.array([all(text.templated for text in texts) for texts in self.members])
        self._long = np.flatnonzero((self.sketches.sizes >= LEAST) & ~templated)
        bands = self.sketches.bands()[:, self._long]
        self._orders = np.argsort(bands, axis=1, kind="stable")
        self._bands = np.take_along_axis(bands, self._orders, axis=1)

    def __len__(self) -> int:
        return len(self.fingerprints)

    def find(self, sketches: Sketches) -> Pairs:
        """The equal evaluation texts, and those that MinHash finds with a Jaccard index of at least SIMILAR."""
        position = np.minimum(np.searchsorted(self.fingerprints, sketches.fingerprints), len(self) - 1)
        same = np.flatnonzero((self.fingerprints[position] == sketches.fingerprints) & (sketches.fingerprints > 0))
        texts, entries = self._candidates(sketches)
        near = self.fingerprints[entries] != sketches.fingerprints[texts]
        texts, entries = texts[near], entries[near]
        similarities = self._similarities(sketches, texts, entries)
        near = similarities >= SIMILAR
        texts, entries = np.concatenate([same, texts[near]]), np.concatenate([position[same], entries[near]])
        order = np.lexsort((entries, texts))
        return Pairs(
            texts,
            entries,
            np.concatenate([np.ones(len(same), dtype=np.float32), similarities[near]]),
            np.arange(len(texts)) < len(same),
            self.sketches.numbers[entries] == sketches.numbers[texts],
        ).select(order)

    def neighbours(self, entry: int) -> list[str]:
        """The other evaluation texts that are similar to one of them."""
        if self._similar is None:
            self._similar = self.find(self.sketches)
        low, high = np.searchsorted(self._similar.texts, [entry, entry + 1])
        return [self.members[other][0].text for other in self._similar.entries[low:high] if other != entry]

    def _candidates(self, sketches: Sketches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Distinct pairs (text, entry) that agree in a band."""
        long = np.flatnonzero(sketches.sizes >= LEAST)
        found = [np.empty(0, dtype=np.int64)]
        for keys, order, wanted in zip(self._bands, self._orders, sketches.bands()[:, long], strict=True):
            low, high = (np.searchsorted(keys, wanted, side=side) for side in ("left", "right"))
            counts = high - low
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            entries = self._long[order[np.repeat(low, counts) + within]]
            found.append((np.repeat(long, counts) << 32) | entries)
        pairs = distinct(np.concatenate(found))
        return pairs >> 32, pairs & (2**32 - 1)

    def _similarities(
        self, sketches: Sketches, texts: NDArray[np.int64], entries: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Jaccard indices, or 0 if the signatures are too different for an index of SIMILAR."""
        similarities, grams = np.zeros(len(texts), dtype=np.float32), self._matrix(sketches)
        for start, stop in pairwise([*range(0, len(texts), _CHUNK), len(texts)]):
            agree = sketches.signatures[texts[start:stop]] == self.sketches.signatures[entries[start:stop]]
            rows = start + np.flatnonzero(np.count_nonzero(agree, axis=1) >= _ESTIMATED * BANDS * ROWS)
            text, entry = texts[rows], entries[rows]
            common = np.diff(grams[text].multiply(self._grams[entry]).tocsr().indptr)
            similarities[rows] = common / (self.sketches.sizes[entry] + sketches.sizes[text] - common)
        return similarities

    def _matrix(self, sketches: Sketches) -> csr_array:
        """bool (N, n-grams of the index): whether each text has each n-gram."""
        columns = np.minimum(np.searchsorted(self._vocabulary, sketches.grams), max(len(self._vocabulary) - 1, 0))
        known = self._vocabulary[columns] == sketches.grams if len(self._vocabulary) else columns < 0
        bounds = np.concatenate([[0], np.cumsum(known)])[sketches.bounds]
        shape = (len(sketches), len(self._vocabulary))
        return csr_array((np.ones(bounds[-1], dtype=np.bool_), columns[known], bounds), shape=shape)
