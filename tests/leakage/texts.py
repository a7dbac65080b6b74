"""Made-up running text in eleven languages, of the names that CLDR has: endless, and the same on every machine."""

import random
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise

from hybrid_ir.leakage.evaluation_texts import EvaluationText
from hybrid_ir.sources.cldr.entities import LANGUAGES, native_names

SPACELESS = ("th", "zh")


def sentences(language: str, count: int, seed: int, words: int = 6) -> list[str]:
    """Sequences of names, no two alike."""
    rng = random.Random(f"{seed} {language}")
    names = [name for kind in ("territory", "language", "currency") for name in _names(kind, language)]
    joint = "" if language in SPACELESS else " "
    return [joint.join(rng.sample(names, words)) + "?" for _ in range(count)]


def _names(kind: str, language: str) -> list[str]:
    return [names[language] for names in native_names(kind).values()]


def queries(benchmark: str = "bench", count: int = 40, seed: int = 1) -> list[EvaluationText]:
    """Queries of a benchmark in eleven languages."""
    return [
        EvaluationText(benchmark, language, f"{language}:{number}", text)
        for language in LANGUAGES
        for number, text in enumerate(sentences(language, count, seed))
    ]


EXACT: Mapping[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda text, _: text,
    "upper case": lambda text, _: text.upper(),
    "lower case": lambda text, _: text.lower(),
    "no question mark": lambda text, _: text.rstrip("?"),
    "other punctuation": lambda text, _: f"«{text.rstrip('?')}»…!",
    "white space": lambda text, _: "\t" + text.replace(" ", "\u00a0 ") + "\n",
    "decomposed": lambda text, _: unicodedata.normalize("NFD", text),
    "full width": lambda text, _: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "direction marks": lambda text, _: f"\u200f{text}\u200e",
    "zero width spaces": lambda text, _: "\u200b".join(text),
}
"""Copies that differ in nothing that counts."""


def _edit(rewrite: Callable[[str, str], str]) -> Callable[[str, random.Random], str]:
    """Rewrites two letters that follow one another and differ, somewhere in a text."""

    def edit(text: str, rng: random.Random) -> str:
        pairs = enumerate(pairwise(text.casefold()))
        position = rng.choice([n for n, (one, other) in pairs if one != other and (one + other).isalpha()])
        return text[:position] + rewrite(text[position], text[position + 1]) + text[position + 2 :]

    return edit


_changed, _left_out = _edit(lambda _, other: other + other), _edit(lambda _, other: other)

NEAR: Mapping[str, Callable[[str, random.Random], str]] = {
    "a letter changed": _changed,
    "a letter left out": _left_out,
    "a letter twice": _edit(lambda one, other: one + one + other),
    "letters swapped": _edit(lambda one, other: other + one),
    "two letters": lambda text, rng: _left_out(_changed(text, rng), rng),
    "a word in front": lambda text, rng: f"ok {text}",
    "a word at the end": lambda text, rng: f"{text} (ok)",
    "the first letters gone": lambda text, rng: text[2:],
    "the last letters gone": lambda text, rng: text[:-3],
    "upper case, a letter changed": lambda text, rng: _changed(text.upper(), rng),
}
"""Copies with a small edit."""
