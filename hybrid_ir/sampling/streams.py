"""Streams: the sets of examples that batches of one kind (and language) are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.policy import MONOLINGUAL, language_pairs


class PatternIndex:
    """Examples of a corpus grouped by availability pattern, so that every stream is a few contiguous ranges.

    One uint32 array of the corpus' length serves all streams (160 MB for 40 million examples); a corpus with a single
    pattern needs none.
    """

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self._order: NDArray[np.uint32] | None = None
        if coverage.codes is None:
            self.counts = np.asarray([coverage.size], dtype=np.int64)
        else:
            self.counts = np.bincount(coverage.codes, minlength=len(coverage.patterns)).astype(np.int64)
            self._order = np.argsort(coverage.codes, kind="stable").astype(np.uint32)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])[:-1]

    def examples(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Example numbers at `places` of the grouped order."""
        return places if self._order is None else self._order[places].astype(np.int64)


@dataclass(frozen=True)
class Stream:
    """Examples that can fill a batch of `kind`, and the language pairs each may come in.

    Attributes:
        index: grouped examples of the corpus.
        corpus: number of the corpus in the plan.
        kind: batch kind.
        language: bit of the one language of a monolingual stream, else None.
        patterns: patterns of the examples in this stream, ascending.
        pairs: per pattern in `patterns`, int8 (n, 2) language pairs to choose from.
    """

    index: PatternIndex
    corpus: int
    kind: str
    language: int | None
    patterns: NDArray[np.int64]
    pairs: tuple[NDArray[np.int8], ...]

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum(self.index.counts[self.patterns])

    @property
    def size(self) -> int:
        """Number of examples."""
        return int(self._ends[-1]) if len(self.patterns) else 0

    @property
    def label(self) -> str:
        """`corpus/kind` or `corpus/kind/language`, for logs and errors."""
        coverage = self.index.coverage
        label = f"{coverage.corpus}/{self.kind}"
        return label if self.language is None else f"{label}/{coverage.languages[self.language]}"

    def rows(
        self, members: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
        """Examples at `members` of this stream, each with a language pair drawn uniformly from those it offers.

        Returns:
            examples int64 (B,), question languages int8 (B,), passage languages int8 (B,).
        """
        slot = np.searchsorted(self._ends, members, side="right")
        pattern = self.patterns[slot]
        before = self._ends[slot] - self.index.counts[pattern]
        examples = self.index.examples(self.index.starts[pattern] + members - before)
        offered = np.asarray([len(pairs) for pairs in self.pairs])[slot]
        choice = (rng.random(len(members)) * offered).astype(np.int64)
        chosen = np.stack([self.pairs[s][c] for s, c in zip(slot, choice, strict=True)])
        return examples, chosen[:, 0], chosen[:, 1]


def build_streams(indexes: Sequence[PatternIndex], kind: str, languages: Sequence[str] | None) -> list[Stream]:
    """All non-empty streams of a batch kind: one a language and corpus if monolingual, else one a corpus.

    Args:
        indexes: the corpora.
        kind: batch kind.
        languages: the only languages to use, or None for all.
    """
    streams = []
    for number, index in enumerate(indexes):
        coverage = index.coverage
        allowed = sum(1 << b for b, code in enumerate(coverage.languages) if languages is None or code in languages)
        pairs = [language_pairs(int(q) & allowed, int(p) & allowed, kind) for q, p in coverage.patterns]
        if kind == MONOLINGUAL:
            for bit in range(len(coverage.languages)):
                kept = [rows[rows[:, 0] == bit] for rows in pairs]
                streams.append(_stream(index, number, kind, bit, kept))
        else:
            streams.append(_stream(index, number, kind, None, pairs))
    return [stream for stream in streams if stream.size]


def _stream(index: PatternIndex, corpus: int, kind: str, language: int | None, pairs: list[NDArray[np.int8]]) -> Stream:
    patterns = [number for number, rows in enumerate(pairs) if len(rows) and index.counts[number]]
    return Stream(
        index, corpus, kind, language, np.asarray(patterns, dtype=np.int64), tuple(pairs[number] for number in patterns)
    )
