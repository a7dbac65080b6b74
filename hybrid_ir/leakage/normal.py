"""Normal form of texts for comparison, without differences of typing, typesetting and encoding."""

import sys
import unicodedata
from collections.abc import Sequence
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
