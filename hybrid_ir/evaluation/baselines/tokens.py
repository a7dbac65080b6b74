"""Words for lexical search in any language, by rules that follow the script and need no dictionary."""

import unicodedata
from collections.abc import Iterator
from itertools import groupby

# Scripts that are written without spaces between words: Thai and Lao, Myanmar, Khmer, kana, Han.
UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip


class _Separators(dict[int, str | int]):
    """For `str.translate`: letters, marks and numbers stay, anything else becomes a space."""

    def __missing__(self, code: int) -> str | int:
        # Marks belong to words: `\w` would cut Hindi and Thai words at their vowel signs.
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else " "
        return self[code]


_SEPARATORS = _Separators()


def tokenize(text: str) -> list[str]:
    """Terms of a text: words, and overlapping pairs of characters in scripts without spaces.

    Character pairs are what Lucene's CJK analyzer searches Chinese by; without a segmenter they serve Thai as well.
    Case and compatibility forms are folded (`Ｈａｕｓ` and `HAUS` are `haus`); nothing is stemmed or stopped.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
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
