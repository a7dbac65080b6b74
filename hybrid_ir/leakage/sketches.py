"""Sketches of texts for fast comparison: normal forms, fingerprints, character n-grams and MinHash signatures.

A corpus has millions of texts, so everything is computed in numpy for thousands of texts at a time. The signatures
(Broder, "On the resemblance and containment of documents", SEQUENCES 1997) equal those of `datasketch`, whose
permutations are used.
"""

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_ASSIGNED = 0x32400  # higher code points are only tags, variation selectors and private characters
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Sk"})  # in addition to punctuation (P*) and separators (Z*)


class NormalTexts(NamedTuple):
    """The concatenated normal forms of N texts.

    Attributes:
        codes: uint32 (C,), code points of all texts.
        bounds: int64 (N + 1,); text n is `codes[bounds[n]:bounds[n + 1]]`, and may be empty.
    """

    codes: NDArray[np.uint32]
    bounds: NDArray[np.int64]


def normalise(texts: Sequence[str]) -> NormalTexts:
    """Compute the normal forms of texts.

    Steps: Unicode NFKC (full width, ligatures, composed accents); case folding; NFKC again, since folding may undo it;
    decimal digits of every script become 0 to 9; dotted and dotless i become one letter. Then white space, punctuation,
    control and format characters (zero width, direction marks), private and unassigned characters and standalone
    accents are removed. Letters, marks (vowel signs and accents of letters), numbers and other symbols stay.
    """
    folded = [_folded(text) for text in texts]
    lengths = np.fromiter(map(len, folded), dtype=np.int64, count=len(folded))
    points = np.frombuffer("".join(folded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = _kept_as()[points]
    kept = codes > 0
    ends = np.concatenate([[0], np.cumsum(kept)])[np.concatenate([[0], np.cumsum(lengths)])]
    return NormalTexts(codes[kept], ends)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@cache
def _kept_as() -> NDArray[np.uint32]:
    """uint32 (code points,): the code point that replaces each; 0 to remove it."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint32)
    table[:_ASSIGNED] = np.arange(_ASSIGNED)
    for code in range(_ASSIGNED):
        category = unicodedata.category(chr(code))
        if category in _DROPPED or category[0] in "PZ":
            table[code] = 0
        elif category == "Nd":
            table[code] = ord("0") + unicodedata.decimal(chr(code))
    table[[ord("ı"), 0x0307]] = ord("i"), 0  # the language is unknown, and an upper case I may be either letter
    return table


BANDS, ROWS = 16, 3  # texts of Jaccard index s are compared with probability 1 - (1 - s^3)^16: 0.996 for 2/3
LEAST = 8  # n-grams; in shorter texts one letter is a large part, so only exact copies are searched
_WIDE = ((0x2E80, 0xA4D0), (0xAC00, 0xD7B0), (0xF900, 0xFB00), (0x20000, 0x3FFFF))  # Han, kana, hangul
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)  # odd


@dataclass(frozen=True)
class Sketches:
    """Sketches of N texts.

    Attributes:
        fingerprints: uint64 (N,), of the normal forms; 0 for an empty one.
        numbers: uint64 (N,), fingerprints of only their digits: texts with different numbers are not copies.
        grams: uint32 (G,), hashes of the n-grams of all texts, ascending and distinct within each text.
        bounds: int64 (N + 1,); the n-grams of text n are `grams[bounds[n]:bounds[n + 1]]`.
        signatures: uint32 (N, BANDS * ROWS), meaningless for texts with fewer than LEAST n-grams.
    """

    fingerprints: NDArray[np.uint64]
    numbers: NDArray[np.uint64]
    grams: NDArray[np.uint32]
    bounds: NDArray[np.int64]
    signatures: NDArray[np.uint32]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Sketches":
        normal = normalise(texts)
        digit = (normal.codes >= ord("0")) & (normal.codes <= ord("9"))
        digits = NormalTexts(normal.codes[digit], np.concatenate([[0], np.cumsum(digit)])[normal.bounds])
        grams, bounds = _grams(normal)
        return cls(_fingerprints(normal), _fingerprints(digits), grams, bounds, _signatures(grams, bounds))

    def __len__(self) -> int:
        return len(self.fingerprints)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """int64 (N,): number of distinct n-grams of each text."""
        return np.diff(self.bounds)

    def select(self, rows: NDArray[np.integer]) -> "Sketches":
        """The sketches of the texts at `rows`."""
        sizes = self.sizes[rows]
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        positions = np.arange(bounds[-1]) + np.repeat(self.bounds[rows] - bounds[:-1], sizes)
        return Sketches(
            self.fingerprints[rows], self.numbers[rows], self.grams[positions], bounds, self.signatures[rows]
        )

    def bands(self) -> NDArray[np.uint64]:
        """uint64 (BANDS, N): keys of the LSH bands; texts that agree in one are compared."""
        parts = self.signatures.reshape(len(self), BANDS, ROWS).astype(np.uint64)
        keys: NDArray[np.uint64] = _mixed((parts * _FACTORS).sum(axis=2, dtype=np.uint64)).T
        return keys


def distinct(values: NDArray) -> NDArray:
    """The distinct values, ascending. Several times faster than `numpy.unique`, which hashes before it sorts."""
    values = np.sort(values)
    first: NDArray = values[np.concatenate([np.ones(min(len(values), 1), dtype=np.bool_), values[1:] != values[:-1]])]
    return first


def _fingerprints(texts: NormalTexts) -> NDArray[np.uint64]:
    """64-bit fingerprint of each text: a polynomial over its code points."""
    lengths = np.diff(texts.bounds)
    position = np.arange(len(texts.codes)) - np.repeat(texts.bounds[:-1], lengths)
    powers = np.cumprod(np.full(int(lengths.max(initial=1)), _FACTORS[0]), dtype=np.uint64)
    sums = _sums(_mixed(texts.codes.astype(np.uint64)) * powers[position], texts.bounds)
    return np.where(lengths > 0, _mixed(sums + lengths.astype(np.uint64)) | np.uint64(1), np.uint64(0))


def _grams(texts: NormalTexts) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Bigrams of Han, kana and hangul, trigrams of other characters: about equal content in every script."""
    codes = texts.codes
    if len(codes) < 3:
        codes = np.concatenate([codes, np.zeros(3, dtype=np.uint32)])
    letters = _mixed(codes.astype(np.uint64))
    pairs = letters[:-1] * _FACTORS[0] + letters[1:] * _FACTORS[1]
    wide = np.any([(codes >= low) & (codes < high) for low, high in _WIDE], axis=0)
    short = wide[:-1] & wide[1:]
    hashes = pairs + np.where(short, np.uint64(0), np.append(letters[2:], np.uint64(0)) * _FACTORS[2])
    lengths = np.diff(texts.bounds)
    owners = np.repeat(np.arange(len(lengths)), lengths)[: len(hashes)]
    hashes, short = hashes[: len(owners)], short[: len(owners)]
    left = texts.bounds[owners + 1] - np.arange(len(owners))  # remaining characters of the text
    whole = left >= np.where(short, 2, 3)
    keys = (owners[whole].astype(np.uint64) << np.uint64(32)) | (_mixed(hashes[whole]) >> np.uint64(32))
    keys = distinct(keys)
    bounds = np.searchsorted(keys, np.arange(len(lengths) + 1, dtype=np.uint64) << np.uint64(32))
    return keys.astype(np.uint32), bounds


def _signatures(grams: NDArray[np.uint32], bounds: NDArray[np.int64]) -> NDArray[np.uint32]:
    signatures = np.full((BANDS * ROWS, len(bounds) - 1), 2**32 - 1, dtype=np.uint32)
    filled = np.flatnonzero(np.diff(bounds))
    if len(filled):
        mixed, (slopes, shifts) = _finalised(grams), _permutations()
        for row, slope, shift in zip(signatures, slopes, shifts, strict=True):
            row[filled] = np.minimum.reduceat(mixed * slope + shift, bounds[filled])
    return np.ascontiguousarray(signatures.T)


@cache
def _permutations() -> NDArray[np.uint32]:
    from datasketch import MinHash

    return np.asarray(MinHash(BANDS * ROWS, seed=1, scheme="affine32").permutations)


def _finalised(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's finaliser, which `datasketch` applies to hashes before the permutations."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = (values ^ (values >> np.uint32(shift))) * np.uint32(factor)
    return values ^ (values >> np.uint32(16))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


def _sums(values: NDArray[np.uint64], bounds: NDArray[np.int64]) -> NDArray[np.uint64]:
    total: NDArray[np.uint64] = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
    return total[bounds[1:]] - total[bounds[:-1]]
