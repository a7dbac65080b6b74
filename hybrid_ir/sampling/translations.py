"""Further languages that a row brings its question or its passage in, for losses that compare translations."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Translations:
    """How many translations each row of a batch brings of its two texts.

    Attributes:
        questions: slots for translations of a row's question.
        passages: slots for translations of a row's passage.
        question_language: the only language that questions are translated to; None for any.

    Raises:
        ValueError: a negative number of slots.
    """

    questions: int = 0
    passages: int = 0
    question_language: str | None = None

    def __post_init__(self) -> None:
        if min(self.questions, self.passages) < 0:
            raise ValueError(
                f"a loss asks for {self.questions} translations of a question and {self.passages} of a passage; "
                "neither can be negative"
            )

    def __bool__(self) -> bool:
        return bool(self.questions or self.passages)


NONE = Translations()


class TranslationDraw:
    """Draws the languages of a corpus' translations, uniformly among those that an example has beside its row's own.

    Weights of languages and pairs play no part: they say which pair makes a row.

    Args:
        coverage: the corpus.
        wanted: slots a row.
        languages: the only languages used, or None for all.
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
        """Languages of B rows' translations.

        Args:
            examples: int64 (B,).
            questions: int8 (B,), languages of the rows' questions.
            passages: int8 (B,), languages of the rows' passages.
            rng: source of randomness.

        Returns:
            int8 (B, questions) and int8 (B, passages), distinct in a row; -1 marks a slot that the example has no
            language for, and such slots come last.
        """
        codes = self.coverage.codes
        pattern = np.zeros(len(examples), dtype=np.int64) if codes is None else codes[examples]
        return (
            _choose(self._questions[pattern], questions, self.wanted.questions, rng),
            _choose(self._passages[pattern], passages, self.wanted.passages, rng),
        )


def _choose(
    available: NDArray[np.bool_], own: NDArray[np.int8], slots: int, rng: np.random.Generator
) -> NDArray[np.int8]:
    rows = np.arange(len(own))
    chosen = np.full((len(own), slots), -1, dtype=np.int8)
    if not slots:
        return chosen
    available[rows, own] = False
    keys = np.where(available, rng.random(available.shape), np.inf)
    order = np.argsort(keys, axis=1)[:, :slots]
    chosen[:, : order.shape[1]] = np.where(available[rows[:, None], order], order, -1)
    return chosen


def translators(
    coverages: Sequence[Coverage], wanted: Translations, languages: tuple[str, ...] | None
) -> list[TranslationDraw]:
    """What draws translations, for each corpus; a corpus without any is named in the log.

    Raises:
        ValueError: no corpus has a translation of a side that is to be translated.
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
                f"the loss compares translations, and no example of {without} has its {side} that are trained on; take "
                "a parallel corpus, more languages (data.languages, sampler.languages), or loss=infonce"
            )
        if slots and without:
            log.warning("no example of %s has its %s: no part in what the loss makes of translations", without, side)
    return draws
