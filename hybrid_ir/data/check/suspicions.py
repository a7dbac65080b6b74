"""Warnings of the corpus check: texts that training accepts but that are probably mistakes."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain

from babel import Locale

from hybrid_ir.sources.records import Example, ParallelText, text_fingerprint

LONG = 50_000  # characters from which a text is suspicious
_TOGETHER = dict.fromkeys(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"), "CJK")
_SEVERAL = ("sr", "uz", "az", "kk", "mn", "pa", "bs", "ku", "sd", "ug", "ks")  # written in more than one script
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]+|#\d+);")
_IN_TEXT = {
    "direction mark": _DIRECTION,
    "control character": _CONTROL,
    "replacement character (text that was decoded wrongly)": re.compile("\ufffd"),
    "byte order mark inside": re.compile("\ufeff"),
    "markup": _MARKUP,
    "ellipsis at the end (cut off?)": re.compile(r"(?:\.\.\.|…)\s*$"),
}


class Suspicions:
    """Counts of suspicious texts and examples, with the first occurrence of each kind.

    Attributes:
        found: kind -> number of texts or examples.
        first: kind -> position and excerpt of the first one.
        languages: all languages seen, including those of hard negatives.
    """

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self._scripts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._first_of_script: dict[tuple[str, str], str] = {}
        self._examples: set[int] = set()
        self.languages: set[str] = set()

    def add(self, example: Example) -> None:
        contents = {"question": example.question, "passage": example.passage}
        contents |= {f"negatives[{number}]": negative for number, negative in enumerate(example.negatives)}
        for side, content in contents.items():
            for language, text in content.text.items():
                self._text(f"example {example.id!r}, {side} in {language}", language, text)
        self._content(example, contents)

    def finish(self) -> None:
        """Add what only the whole file shows: several scripts under one language code."""
        for language, scripts in self._scripts.items():
            if len(scripts) > 1 and language.split("-")[0].split("_")[0] not in _SEVERAL:
                usual, _ = scripts.most_common(1)[0]
                for script, count in scripts.items():
                    if script != usual:
                        position = f"{self._first_of_script[language, script]}, is {script}, most of {language} {usual}"
                        self._report("another script than the language's other texts", position, count)

    def _text(self, position: str, language: str, text: str) -> None:
        self.languages.add(language)
        if not _known(language):
            self._report("language code that CLDR does not know", f"{position}: {language!r}")
        for kind, pattern in _IN_TEXT.items():
            if match := pattern.search(text):
                self._report(kind, f"{position}: {match[0]!a} at position {match.start()}")
        if len(text) > LONG:
            self._report(f"more than {LONG:,} characters", f"{position}: {len(text):,}")
        if not unicodedata.is_normalized("NFC", text):
            self._report("not in Unicode's composed form (NFC)", position)
        script = _script_of(text)
        if script is not None:
            self._scripts[language][script] += 1
            self._first_of_script.setdefault((language, script), f"{position}: {text[:30]!r}")

    def _content(self, example: Example, contents: Mapping[str, ParallelText]) -> None:
        positives = {text.strip() for text in example.passage.text.values()}
        if any(text.strip() in positives for text in example.question.text.values()):
            self._report("question that equals its passage", f"example {example.id!r}")
        if any(text.strip() in positives for negative in example.negatives for text in negative.text.values()):
            self._report("hard negative that equals the passage", f"example {example.id!r}")
        pair = [sorted(contents[side].text.items()) for side in ("question", "passage")]
        fingerprint = text_fingerprint(repr(pair))
        if fingerprint in self._examples:
            self._report("example that repeats an earlier one", f"example {example.id!r}")
        self._examples.add(fingerprint)

    def _report(self, kind: str, position: str, count: int = 1) -> None:
        self.found[kind] += count
        self.first.setdefault(kind, position)

    def lines(self) -> Iterator[str]:
        for kind, count in sorted(self.found.items()):
            yield f"{count:,} x {kind}, first: {self.first[kind]}"


def _script_of(text: str) -> str | None:
    """The script of most letters, or None without letters. Latin names and brands occur in any language."""
    counts = Counter(script for letter in text[:2000] if (script := _script(letter)) is not None)
    if not counts:
        return None
    return counts.most_common(1)[0][0]


@cache
def _script(letter: str) -> str | None:
    if not letter.isalpha():
        return None
    name = unicodedata.name(letter, "").split(" ")[0]
    return _TOGETHER.get(name, name) or None


@cache
def _known(language: str) -> bool:
    base = language.replace("_", "-").split("-")[0].lower()
    return base in _codes()


@cache
def _codes() -> frozenset[str]:
    return frozenset(chain(Locale("en").languages, Locale("de").languages))
