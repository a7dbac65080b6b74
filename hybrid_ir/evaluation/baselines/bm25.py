"""BM25, the lexical baseline: it matches words, so it finds hardly any passages in other languages."""

import logging
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark

# Scripts without spaces between words: Thai and Lao, Myanmar, Khmer, kana, Han.
UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip

DOTTED = "i\N{COMBINING DOT ABOVE}"  # what casefold makes of Turkish 'İ'; elsewhere the letter is a plain i


class BM25:
    """Lucene's variant of BM25, by the library bm25s, over the terms of `tokenize`.

    One index holds the passages of all languages, so document frequencies and the average passage length are those of
    all languages in every setting.

    Args:
        k1: saturation of the term frequency.
        b: strength of the length normalisation, in [0, 1].

    Raises:
        ValueError: bm25s is not installed.
    """

    def __init__(self, k1: float = 0.9, b: float = 0.4) -> None:
        try:
            import bm25s
        except ImportError:
            raise ValueError("the BM25 baseline needs the library bm25s: pip install bm25s") from None
        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs every index that it builds
        self.k1, self.b, self.library = k1, b, bm25s

    def scorer(self, benchmark: Benchmark) -> "BM25Scorer":
        """Index the passages."""
        index = self.library.BM25(k1=self.k1, b=self.b, method="lucene")
        index.index([tokenize(text) for text in benchmark.passages.texts], show_progress=False)
        return BM25Scorer(index, [tokenize(text) for text in benchmark.queries.texts])

    def describe(self) -> dict[str, Any]:
        """The settings of the baseline, for results."""
        return {"baseline": "bm25", "k1": self.k1, "b": self.b, "library": f"bm25s {self.library.__version__}"}


class BM25Scorer:
    """The scorer of an indexed benchmark; see `hybrid_ir.evaluation.ranking.scoring.Scorer`."""

    tile, device = 1, torch.device("cpu")

    def __init__(self, index: Any, queries: Sequence[list[str]]) -> None:
        self.index, self.queries = index, queries

    def arrange(self, queries: NDArray[np.int64], passages: NDArray[np.int64]) -> "_ArrangedBM25":
        """See `Scorer`."""
        return _ArrangedBM25(self.index, [self.queries[query] for query in queries], passages)


class _ArrangedBM25:
    def __init__(self, index: Any, queries: Sequence[list[str]], passages: NDArray[np.int64]) -> None:
        self.index, self.queries, self.passages = index, queries, passages

    def fill(self, start: int, out: Tensor) -> None:
        for row, terms in zip(out, self.queries[start : start + len(out)], strict=False):
            scores = self.index.get_scores(terms) if terms else np.zeros(len(self.passages), dtype=np.float32)
            row.copy_(torch.from_numpy(scores[self.passages]))


class _Separators(dict[int, str | int]):
    """A table for `str.translate` that keeps letters, marks and numbers and turns anything else into a space."""

    def __missing__(self, code: int) -> str | int:
        # Marks belong to words: `\w` would cut Hindi and Thai words at their vowel signs.
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else " "
        return self[code]


_SEPARATORS = _Separators()


def tokenize(text: str) -> list[str]:
    """Terms of a text: words, and overlapping pairs of characters in scripts without spaces.

    Lucene's CJK analyzer uses character bigrams, too; without a segmenter they also serve Thai. Case and compatibility
    forms are folded (`Ｈａｕｓ` and `HAUS` become `haus`). There is no stemming and no stop list.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace(DOTTED, "i")
    return [term for word in folded.translate(_SEPARATORS).split() for term in _terms(word)]


def _terms(word: str) -> Iterator[str]:
    for unspaced, characters in groupby(word, _is_unspaced):
        part = "".join(characters)
        if unspaced and len(part) > 1:
            yield from (part[start : start + 2] for start in range(len(part) - 1))
        else:
            yield part


def _is_unspaced(character: str) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in UNSPACED)
