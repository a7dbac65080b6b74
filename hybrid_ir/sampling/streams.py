"""Streams: the examples of a corpus that can form batches of one kind (and, if monolingual, one language)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.policy import MONOLINGUAL, language_pairs
from hybrid_ir.sampling.weights import LanguageWeights

_CHUNK = 2**20  # examples processed at a time


class PatternIndex:
    """Index of a corpus' examples grouped by availability pattern, so that every stream is a few contiguous ranges.

    All streams share one uint32 array of the corpus' length (160 MB for 40 million examples). A corpus with a single
    pattern needs none.
    """

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        patterns = len(coverage.patterns)
        if coverage.codes is None:
            self.counts = np.asarray([coverage.size], dtype=np.int64)
        else:
            counts = (np.bincount(part, minlength=patterns) for part in _chunks(coverage.codes))
            self.counts = sum(counts, np.zeros(patterns, dtype=np.int64))
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])[:-1]
        self._order = None if coverage.codes is None else _grouped(coverage.codes, self.starts)

    def examples(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Example numbers at `positions` of the grouped order."""
        return positions if self._order is None else self._order[positions].astype(np.int64)


@dataclass(frozen=True)
class Stream:
    """The examples of a corpus that can form batches of `kind`, with the language pairs that each offers.

    Attributes:
        index: the grouped examples of the corpus.
        corpus: number of the corpus in the plan.
        kind: batch kind.
        language: bit of the language of a monolingual stream, else None.
        patterns: availability patterns of the stream's examples, ascending.
        pairs: for each pattern, int8 (n, 2) language pairs to choose from.
        pair_weights: float64 (L, L), relative weight of each pair among those that an example offers.
        weight: relative weight of this stream among those of the same kind and corpus.
    """

    index: PatternIndex
    corpus: int
    kind: str
    language: int | None
    patterns: NDArray[np.int64]
    pairs: tuple[NDArray[np.int8], ...]
    pair_weights: NDArray[np.float64]
    weight: float

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum(self.index.counts[self.patterns])

    @property
    def size(self) -> int:
        """Number of examples."""
        return int(self._ends[-1]) if len(self.patterns) else 0

    @property
    def code(self) -> str | None:
        """The language code of a monolingual stream, else None."""
        return None if self.language is None else self.index.coverage.languages[self.language]

    @property
    def label(self) -> str:
        """`corpus/kind` or `corpus/kind/language`, for logs and errors."""
        label = f"{self.index.coverage.corpus}/{self.kind}"
        return label if self.code is None else f"{label}/{self.code}"

    def rows(
        self, members: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
        """The examples at positions `members` of this stream, each with a language pair drawn by weight.

        Returns:
            examples int64 (B,), question languages int8 (B,), passage languages int8 (B,).
        """
        slot = np.searchsorted(self._ends, members, side="right")
        pattern = self.patterns[slot]
        before = self._ends[slot] - self.index.counts[pattern]
        examples = self.index.examples(self.index.starts[pattern] + members - before)
        lengths = np.asarray([len(pairs) for pairs in self.pairs])
        draws = rng.random(len(members))
        if self._cumulative is None:
            choice = (draws * lengths[slot]).astype(np.int64)
        else:
            choice = (self._cumulative[slot] <= draws[:, None]).sum(axis=1)
        chosen = np.concatenate(self.pairs)[(np.cumsum(lengths) - lengths)[slot] + choice]
        return examples, chosen[:, 0], chosen[:, 1]

    @cached_property
    def _cumulative(self) -> NDArray[np.float64] | None:
        """float64 (patterns, most pairs): cumulative shares of the pairs, padded with 1; None for equal weights."""
        weights = [self.pair_weights[pairs[:, 0], pairs[:, 1]] for pairs in self.pairs]
        if len(np.unique(np.concatenate(weights))) == 1:
            return None
        cumulative = np.ones((len(weights), max(map(len, weights))))
        for row, values in zip(cumulative, weights, strict=True):
            row[: len(values) - 1] = (np.cumsum(values) / values.sum())[:-1]
        return cumulative


def build_streams(
    indexes: Sequence[PatternIndex], kind: str, languages: Sequence[str] | None, weights: LanguageWeights
) -> list[Stream]:
    """All non-empty streams of a batch kind: one per corpus and, if monolingual, per language.

    Args:
        indexes: the corpora.
        kind: batch kind.
        languages: the only languages to use, or None for all.
        weights: weights of languages and pairs. Pairs of weight 0 are left out.
    """
    streams = []
    for number, index in enumerate(indexes):
        coverage = index.coverage
        allowed = sum(1 << b for b, code in enumerate(coverage.languages) if languages is None or code in languages)
        pairs = [language_pairs(int(q) & allowed, int(p) & allowed, kind) for q, p in coverage.patterns]
        weighted = weights.of(coverage.languages, _sizes(index, pairs))
        pairs = [rows[weighted[rows[:, 0], rows[:, 1]] > 0] for rows in pairs]
        if kind == MONOLINGUAL:
            for bit in range(len(coverage.languages)):
                kept = [rows[rows[:, 0] == bit] for rows in pairs]
                streams.append(_stream(index, number, kind, bit, kept, weighted))
        else:
            streams.append(_stream(index, number, kind, None, pairs, weighted))
    return [stream for stream in streams if stream.size]


def _stream(
    index: PatternIndex,
    corpus: int,
    kind: str,
    language: int | None,
    pairs: list[NDArray[np.int8]],
    weights: NDArray[np.float64],
) -> Stream:
    patterns = [number for number, rows in enumerate(pairs) if len(rows) and index.counts[number]]
    return Stream(
        index,
        corpus,
        kind,
        language,
        np.asarray(patterns, dtype=np.int64),
        tuple(pairs[number] for number in patterns),
        weights,
        1.0 if language is None else float(weights[language, language]),
    )


def _sizes(index: PatternIndex, pairs: Sequence[NDArray[np.int8]]) -> NDArray[np.int64]:
    """int64 (L, L): number of examples that offer each pair."""
    sizes = np.zeros((len(index.coverage.languages),) * 2, dtype=np.int64)
    for count, rows in zip(index.counts, pairs, strict=True):
        sizes[rows[:, 0], rows[:, 1]] += count
    return sizes


def _grouped(codes: NDArray[np.unsignedinteger], starts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The stable `argsort` of the codes, in chunks, so that it needs little more memory than its result."""
    order, free = np.empty(len(codes), dtype=np.uint32), starts.copy()
    begin = 0
    for part in _chunks(codes):
        local = np.argsort(part, kind="stable")
        sizes = np.bincount(part, minlength=len(starts))
        order[np.repeat(free - (np.cumsum(sizes) - sizes), sizes) + np.arange(len(part))] = local + begin
        free += sizes
        begin += len(part)
    return order


def _chunks(codes: NDArray[np.unsignedinteger]) -> Iterator[NDArray[np.unsignedinteger]]:
    return (codes[start : start + _CHUNK] for start in range(0, len(codes), _CHUNK))
