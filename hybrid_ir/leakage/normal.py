"""The normal form in which texts are compared: what is left when typing, typesetting and encoding are taken away."""

import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_ASSIGNED = 0x32400  # the planes above hold tags, variation selectors and private characters alone
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Sk"})  # besides punctuation (P*) and separators (Z*)


class NormalTexts(NamedTuple):
    """N texts in their normal form, one after the other.

    Attributes:
        codes: uint32 (C,), the code points of all of them.
        bounds: int64 (N + 1,); text n is `codes[bounds[n]:bounds[n + 1]]`, and may be empty.
    """

    codes: NDArray[np.uint32]
    bounds: NDArray[np.int64]


def normalise(texts: Sequence[str]) -> NormalTexts:
    """Normal forms of texts.

    In this order: Unicode NFKC (full width, ligatures, composed accents), case folding, NFKC again (folding may undo
    it), decimal digits of every script as 0 to 9, Turkish dotted and dotless i as one, and without white space,
    punctuation, control and format characters (zero width, direction marks), private and unassigned characters, and
    accents that stand alone. Letters, marks (vowel signs and accents of their letters), numbers and other symbols stay.
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
    """uint32 (code points,): what becomes of each; 0 for nothing."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint32)
    table[:_ASSIGNED] = np.arange(_ASSIGNED)
    for code in range(_ASSIGNED):
        category = unicodedata.category(chr(code))
        if category in _DROPPED or category[0] in "PZ":
            table[code] = 0
        elif category == "Nd":
            table[code] = ord("0") + unicodedata.decimal(chr(code))
    table[[ord("ı"), 0x0307]] = ord("i"), 0  # without knowing the language: an upper case I may be either's
    return table
