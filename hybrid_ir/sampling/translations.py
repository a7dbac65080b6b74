"""Translations in a batch: further languages of a row's question or passage, for losses that compare them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Translations:
    """The number of translations of its question and passage that each row of a batch has.

    Attributes:
        questions: translations of a row's question.
        passages: translations of a row's passage.
        question_language: the only language for translations of questions; None for any.

    Raises:
        ValueError: a number is negative.
    """

    questions: int = 0
    passages: int = 0
    question_language: str | None = None

    def __post_init__(self) -> None:
        if min(self.questions, self.passages) < 0:
            raise ValueError(
                f"numbers of translations must be at least 0, got {self.questions} of questions and {self.passages} of "
                "passages"
            )

    def __bool__(self) -> bool:
        return bool(self.questions or self.passages)


NONE = Translations()


class TranslationDraw:
    """Draws the languages of translations, uniformly among the other languages that an example has.

    Weights of languages and pairs do not apply here: they only decide the pair of a row.

    Args:
        coverage: the corpus.
        wanted: number of translations per row.
        languages: the only languages to use, or None for all.
    """

    def __init__(self, coverage: Coverage, wanted: Translations, languages: tuple[str, ...] | None) -> None:
        self.coverage, self.wanted = coverage, wanted
        bits = np.arange(len(coverage.languages), dtype=np.uint64)
        known = [languages is None or code in languages for code in coverage.languages]
        target = [wanted.question_language in (None, code) for code in coverage.languages]
        has = (coverage.patterns[:, :, None] >> bits & np.uint64(1)).astype(np.bool_)
        has &= np.asarray(known, dtype=np.bool_)
        self._questions, self._passages = has[:, 0] & np.asarray(target, dtype=np.bool_), has[:, 1]
        several = has.sum(2) > 1
        self.questions_possible = bool((self._questions.any(1) & several[:, 0]).any())
        self.passages_possible = bool(several[:, 1].any())

    def __call__(
        self,
        examples: NDArray[np.int64],
        questions: NDArray[np.int8],
        passages: NDArray[np.int8],
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Draw the languages of the translations of B rows.

        Args:
            examples: int64 (B,).
            questions: int8 (B,), languages of the rows' questions.
            passages: int8 (B,), languages of the rows' passages.
            rng: random generator.

        Returns:
            int8 (B, questions) and int8 (B, passages), distinct within a row. Slots for which the example has no
            language left are -1 and come last.
        """
        codes = self.coverage.codes
        pattern = np.zeros(len(examples), dtype=np.int64) if codes is None else codes[examples]
        return (
            _choose(self._questions[pattern], questions, self.wanted.questions, rng),
            _choose(self._passages[pattern], passages, self.wanted.passages, rng),
        )


def _choose(
    available: NDArray[np.bool_], languages: NDArray[np.int8], slots: int, rng: np.random.Generator
) -> NDArray[np.int8]:
    rows = np.arange(len(languages))
    chosen = np.full((len(languages), slots), -1, dtype=np.int8)
    if not slots:
        return chosen
    available[rows, languages] = False
    keys = np.where(available, rng.random(available.shape), np.inf)
    order = np.argsort(keys, axis=1)[:, :slots]
    chosen[:, : order.shape[1]] = np.where(available[rows[:, None], order], order, -1)
    return chosen


def translators(
    coverages: Sequence[Coverage], wanted: Translations, languages: tuple[str, ...] | None
) -> list[TranslationDraw]:
    """A `TranslationDraw` for each corpus. Warns about corpora without translations.

    Raises:
        ValueError: no corpus has translations of a requested side.
    """
    draws = [TranslationDraw(coverage, wanted, languages) for coverage in coverages]
    fixed = wanted.question_language
    question = "question in two languages" if fixed is None else f"question in {fixed} and another language"
    for side, slots, possible in (
        (question, wanted.questions, [draw.questions_possible for draw in draws]),
        ("passage in two languages", wanted.passages, [draw.passages_possible for draw in draws]),
    ):
        without = ", ".join(draw.coverage.corpus for draw, able in zip(draws, possible, strict=True) if not able)
        if slots and not any(possible):
            raise ValueError(
                f"the loss compares translations, but no example of {without} has its {side} in use; choose a "
                "parallel corpus, more languages (data.languages, sampler.languages), or loss=infonce"
            )
        if slots and without:
            log.warning("no example of %s has its %s: it adds nothing to the loss over translations", without, side)
    return draws
