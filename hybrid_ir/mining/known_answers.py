"""Known answers: passages that a corpus shows to answer a question, which therefore must not become negatives."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store.tables import Contents
from hybrid_ir.mining.candidates import NOTHING, Found, Pool
from hybrid_ir.sources.records import text_fingerprint

CHUNK = 65_536  # texts read, and questions checked, at a time


class Verdict(IntEnum):
    """The decision on a candidate passage of a question: negative, or the reason for leaving it out."""

    NOTHING = 0
    ANSWER = 1
    """It has the content of the gold passage, or is the gold passage of another example with the same question."""
    IDENTICAL = 2
    """Its text equals the gold passage in some language, although the corpus stores it as different content."""
    SKIPPED = 3
    """It is one of the first `skip` candidates."""
    TOO_CLOSE = 4
    """Its score is above the allowed share of the gold passage's score: probably an unlabelled answer."""
    NEGATIVE = 5


class Answers:
    """Index of the known answers of a corpus and their texts. Memory: 8 bytes for each passage and language."""

    def __init__(self, corpus: ParallelCorpus) -> None:
        contents = corpus.contents("passage")
        self.own = corpus.content_rows("passage").astype(np.int64)
        self.groups = contents.groups
        self.questions = corpus.contents("question").groups[corpus.content_rows("question")]
        self._width = int(self.groups.max()) + 1
        self._pairs = np.unique(self.questions * self._width + self.groups[self.own])
        self.languages = corpus.languages
        self.digests = np.stack([_digests(contents, language) for language in corpus.languages], axis=1)
        """uint64 (rows, languages of the corpus), 0 where a passage lacks a language."""

    def verdicts(
        self, examples: NDArray[np.int64], found: Found, pool: Pool, skip: int, max_score_ratio: float | None
    ) -> NDArray[np.int8]:
        """Decide on every candidate.

        Args:
            examples: int64 (Q,), the example of each question.
            found: the candidates of the questions.
            pool: the pool that was searched.
            skip: number of best candidates to leave out, not counting known answers.
            max_score_ratio: see `MiningConfig`.

        Returns:
            int8 (Q, k), values of `Verdict`.
        """
        parts = [slice(start, start + CHUNK) for start in range(0, len(examples), CHUNK)]
        parts_of = [
            self._verdicts(examples[part], Found(found.numbers[part], found.scores[part], found.own[part]), pool, skip,
                        max_score_ratio)
            for part in parts
        ]  # fmt: skip
        return np.concatenate(parts_of) if parts_of else np.empty(found.numbers.shape, dtype=np.int8)

    def _verdicts(
        self, examples: NDArray[np.int64], found: Found, pool: Pool, skip: int, max_score_ratio: float | None
    ) -> NDArray[np.int8]:
        languages, rows = pool.positions(np.maximum(found.numbers, 0))
        verdicts = np.full(rows.shape, Verdict.NEGATIVE, dtype=np.int8)
        if max_score_ratio is not None:
            verdicts[found.scores > _limit(found.own, languages, max_score_ratio)] = Verdict.TOO_CLOSE
        pairs = self.questions[examples][:, None] * self._width + self.groups[rows]
        answers = np.isin(pairs, self._pairs)
        columns = np.array([self.languages.index(language) for language in pool.languages])
        same = self.digests[rows, columns[languages]]
        identical = np.zeros_like(answers)
        for digests in self.digests[self.own[examples]].T:
            identical |= same == digests[:, None]
        absent = found.numbers == NOTHING
        known = answers | identical | absent
        ordinal = np.cumsum(~known, axis=1)
        verdicts[(ordinal <= skip) & ~known] = Verdict.SKIPPED
        verdicts[identical] = Verdict.IDENTICAL
        verdicts[answers] = Verdict.ANSWER
        verdicts[absent] = Verdict.NOTHING
        return verdicts


def _limit(own: NDArray[np.float32], languages: NDArray[np.int64], ratio: float) -> NDArray[np.float32]:
    """Largest score (Q, k) of a negative: a share of the gold passage's score in its language, else in any language."""
    best = np.nanmax(np.where(np.isnan(own), -np.inf, own), axis=1, keepdims=True)
    anchors = np.take_along_axis(np.where(np.isnan(own), best, own), languages, axis=1)
    # A share of a negative score would be larger than the score.
    limit: NDArray[np.float32] = anchors - (1 - ratio) * np.abs(anchors)
    return limit


def _digests(contents: Contents, language: str) -> NDArray[np.uint64]:
    digests = np.zeros(len(contents), dtype=np.uint64)
    rows = np.flatnonzero(contents.presence(language))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        digests[part] = [text_fingerprint(text) for text in contents.texts_in(language, part)]
    return digests
