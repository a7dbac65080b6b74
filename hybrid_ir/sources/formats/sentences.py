"""Sentences of running text, for sources that do not mark them.

Library: `sentencex` (MIT, Wikimedia; rules and abbreviation lists for the languages of Wikipedia). Against the sentence
marks of XQuAD-R and MLQA-R it picks the same answer sentence for 79 to 98 % of the questions (median 94 %) in every
language but Thai.
Thai has no sentence-final mark, and neither rules nor a trained splitter find the marks of XQuAD-R there (at most one
answer sentence in ten is the same). The rule below therefore only aims at passages of sentence length: a cut at
a space between two Thai letters as soon as THAI_LENGTH characters have been collected; 98 % of the answers lie inside
the piece that they start in.
"""

import re
from bisect import bisect_right
from functools import lru_cache
from importlib.metadata import version
from itertools import pairwise

THAI_LENGTH = 100
SPLITTER = f"sentencex {version('sentencex')}, Thai {THAI_LENGTH}"  # names the rules: another name, other spans
_THAI_SPACE = re.compile(r"(?<=[\u0e01-\u0e45\u0e47-\u0e4e])\s+(?=[\u0e01-\u0e45\u0e47-\u0e4e])")

Span = tuple[int, int]


@lru_cache(maxsize=64)  # the questions of a paragraph follow each other
def sentence_spans(text: str, language: str) -> tuple[Span, ...]:
    """Split `text` into sentences.

    Args:
        text: running text.
        language: its code; a code without rules of its own is split by those of a related language.

    Returns:
        [start, end) character offsets, ascending, without gap or overlap, from 0 to `len(text)`: white space around a
        sentence is inside its span. No span is white space alone unless the whole text is.
    """
    cuts = _thai_cuts(text) if language == "th" else _library_cuts(text, language)
    starts = [0]
    for cut in cuts:
        if text[starts[-1] : cut].strip() and text[cut:].strip():
            starts.append(cut)
    return tuple(pairwise([*starts, len(text)]))


def sentence_with(text: str, offset: int, language: str) -> str:
    """The sentence that holds the character at `offset`, without white space around it."""
    assert 0 <= offset < len(text), f"offset {offset} outside a text of {len(text)} characters"
    spans = sentence_spans(text, language)
    start, end = spans[bisect_right(spans, offset, key=lambda span: span[0]) - 1]
    return text[start:end].strip()


def sentences(text: str, language: str) -> tuple[str, ...]:
    """All sentences in order, without white space around them."""
    return tuple(text[start:end].strip() for start, end in sentence_spans(text, language))


def _library_cuts(text: str, language: str) -> list[int]:
    import sentencex

    cuts, end = [], 0
    for sentence in sentencex.segment(language, text):
        end += len(sentence)
        cuts.append(end)
    assert end == len(text), f"sentencex changed the text: {len(text)} characters became {end}"
    return cuts


def _thai_cuts(text: str) -> list[int]:
    cuts, start = [], 0
    for space in _THAI_SPACE.finditer(text):
        if space.end() - start >= THAI_LENGTH:
            start = space.end()
            cuts.append(start)
    return cuts
