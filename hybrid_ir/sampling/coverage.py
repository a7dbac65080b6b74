"""What the batch plan needs to know of a corpus: which example has which side in which language."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_LANGUAGES = 64  # one bit a language in a 64-bit mask


@dataclass(frozen=True)
class Coverage:
    """Languages available for every example of one corpus, compactly.

    Corpora have few distinct availability patterns (often one: everything in every language), so an example carries
    the number of its pattern, and a fully parallel corpus carries nothing per example.

    Attributes:
        corpus: the corpus' name.
        languages: language codes; bit b of a mask stands for `languages[b]`. At most 64.
        size: number of examples.
        patterns: uint64 (P, 2); column 0 the question languages of the pattern, column 1 the passage languages.
        codes: integer (size,), the pattern of each example; None where there is one pattern only.
    """

    corpus: str
    languages: tuple[str, ...]
    size: int
    patterns: NDArray[np.uint64]
    codes: NDArray[np.unsignedinteger] | None = None

    def __post_init__(self) -> None:
        assert len(self.languages) <= MAX_LANGUAGES, f"{len(self.languages)} languages do not fit 64 bits"
        assert self.patterns.ndim == 2 and self.patterns.shape[1] == 2 and self.patterns.dtype == np.uint64
        assert self.codes is not None or len(self.patterns) == 1, "several patterns need a code per example"
        assert self.codes is None or self.codes.shape == (self.size,)
