"""Language coverage of a corpus: which example has which languages, the only fact that the batch plan needs."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_LANGUAGES = 64  # one bit per language in a 64-bit mask


@dataclass(frozen=True)
class Coverage:
    """The languages in which each example of a corpus has its question and its passage, stored compactly.

    Corpora have few distinct availability patterns (often one: everything in every language). Each example therefore
    stores the number of its pattern, and a fully parallel corpus stores nothing per example.

    Attributes:
        corpus: name of the corpus.
        languages: at most 64 language codes; bit b of a mask stands for `languages[b]`.
        size: number of examples.
        patterns: uint64 (P, 2); column 0 has the question languages of each pattern, column 1 the passage languages.
        codes: integer (size,), the pattern of each example; None if there is only one pattern.
        declared: size of the corpus in draws of corpora, finite and positive; None for the number of examples.
    """

    corpus: str
    languages: tuple[str, ...]
    size: int
    patterns: NDArray[np.uint64]
    codes: NDArray[np.unsignedinteger] | None = None
    declared: float | None = None

    def __post_init__(self) -> None:
        assert len(self.languages) <= MAX_LANGUAGES, f"{len(self.languages)} languages do not fit 64 bits"
        assert self.patterns.ndim == 2 and self.patterns.shape[1] == 2 and self.patterns.dtype == np.uint64
        assert self.codes is not None or len(self.patterns) == 1, "several patterns need a code per example"
        assert self.codes is None or self.codes.shape == (self.size,)
        assert self.declared is None or 0 < self.declared < math.inf

    @property
    def scale(self) -> float:
        """What an example counts in draws of corpora: 1, or its share of the declared size."""
        return 1.0 if self.declared is None else self.declared / self.size
