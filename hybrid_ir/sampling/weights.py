"""Weights of languages and language pairs: how often each is drawn relative to the others."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True)
class LanguageWeights:
    """Weights of pairs (question language, passage language) within a corpus.

    The weight of a pair is question[q] * passage[p] * pairs[q][p] * size(q, p)^(1 / temperature). Weights that are not
    given are 1, and size(q, p) is the number of examples of the corpus that offer the pair. The language l of a
    monolingual batch is drawn in proportion to the weight of the pair (l, l). In other batches, each row draws its pair
    in proportion to the weights of the pairs that its example offers. A pair of weight 0 is never drawn.

    Attributes:
        question: language code -> weight as question language.
        passage: language code -> weight as passage language.
        pairs: question language -> passage language -> weight.
        temperature: 1 draws languages in proportion to the size of their data, larger values make them more even; None
            ignores sizes.

    Raises:
        ValueError: a weight is not a finite number of at least 0, a field is not a mapping, or the temperature is not
            positive.
    """

    question: Mapping[str, float] | None = None
    passage: Mapping[str, float] | None = None
    pairs: Mapping[str, Mapping[str, float]] | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise ValueError(f"`sampler.weights.temperature` must be positive or null, got {self.temperature}")
        for _, field, weight in self._named():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise ValueError(f"`sampler.weights.{field}` must be a finite number of at least 0, got {weight}")

    @property
    def facts(self) -> tuple[object, ...]:
        """The named weights other than 1, for comparison; empty if nothing is weighted."""
        named = tuple((field, float(weight)) for _, field, weight in self._named() if weight != 1)
        return named if self.temperature is None else (*named, self.temperature)

    def check_languages(self, known: Collection[str]) -> None:
        """Raises ValueError if a weight names a language that is never drawn."""
        named = {code for codes, _, _ in self._named() for code in codes}
        unknown = sorted(named - set(known))
        if unknown:
            raise ValueError(
                f"`sampler.weights` names {', '.join(unknown)}; the languages in use are {', '.join(sorted(known))}"
            )

    def of(self, languages: Sequence[str], sizes: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of all pairs of L languages.

        Args:
            languages: language codes.
            sizes: (L, L), number of examples that offer each pair.

        Returns:
            float64 (L, L), at least 0; exactly 1 if nothing is weighted.
        """
        question, passage = (
            np.asarray([(side or {}).get(code, 1.0) for code in languages], dtype=np.float64)
            for side in (self.question, self.passage)
        )
        weights = np.outer(question, passage)
        for (q, asked), (p, told) in product(enumerate(languages), repeat=2):
            weights[q, p] *= ((self.pairs or {}).get(asked) or {}).get(told, 1.0)
        if self.temperature is not None:
            weights *= (sizes / sizes.max(initial=1)) ** (1 / self.temperature)
        return weights

    def _named(self) -> Iterator[tuple[tuple[str, ...], str, float]]:
        """Languages, field and value of every given weight, in a fixed order."""
        for side in ("question", "passage"):
            for code, weight in _entries(side, getattr(self, side)):
                yield (code,), f"{side}.{code}", weight
        for question, row in _entries("pairs", self.pairs):
            for passage, weight in _entries(f"pairs.{question}", row):
                yield (question, passage), f"pairs.{question}.{passage}", weight


def _entries(field: str, mapping: Mapping[str, T] | None) -> list[tuple[str, T]]:
    if mapping is not None and not isinstance(mapping, Mapping):
        raise ValueError(
            f"`sampler.weights.{field}` must map languages to weights, such as {{de: 2, en: 1}}, got {mapping!r}"
        )
    return sorted((mapping or {}).items())
