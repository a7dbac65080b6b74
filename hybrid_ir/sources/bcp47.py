"""Language codes in one spelling (BCP 47), whatever letter case and separators a source uses."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
_SCRIPT = re.compile(r"[a-z]{4}")
_REGION = re.compile(r"[a-z]{2}|[0-9]{3}")


@lru_cache(maxsize=4096)
def canonical(code: str) -> str:
    """The code as BCP 47 writes it (RFC 5646, section 2.1.1): `EN` is `en`, `zh_hans_cn` is `zh-Hans-CN`.

    Letter case and separators only; `eng` and `en` stay two codes. What is not a language code comes out in this form
    too, and is for `language_fault` to refuse.
    """
    first, *rest = code.lower().replace("_", "-").split("-")
    parts, extension = [first], len(first) == 1  # after a single letter, everything is in lower case
    for part in rest:
        extension = extension or len(part) == 1
        if not extension and _SCRIPT.fullmatch(part):
            part = part.title()
        elif not extension and _REGION.fullmatch(part):
            part = part.upper()
        parts.append(part)
    return "-".join(parts)


def by_canonical(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries with their codes in one spelling, in the same order.

    Raises:
        ValueError: two codes are one language.
    """
    found: dict[str, str] = {}
    for code in entries:
        if (first := found.setdefault(canonical(code), code)) != code:
            raise ValueError(f"{first!r} and {code!r} are the same language, {canonical(code)}; keep one")
    return {canonical(code): entry for code, entry in entries.items()}


class Spellings:
    """The spellings of language codes in a source, noted while it is read."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}

    def canonical(self, code: str) -> str:
        """The code in its one spelling; notes the given one."""
        known = canonical(code)
        self._found.setdefault(known, {})[code] = None
        return known

    def of(self, texts: Mapping[str, T]) -> Mapping[str, T]:
        """`by_canonical` of the entries; notes their codes."""
        for code in texts:
            self.canonical(code)
        return texts if all(canonical(code) == code for code in texts) else by_canonical(texts)

    @property
    def notes(self) -> list[str]:
        """A note for each language that the source spells in several ways."""
        merged = ((code, list(given)) for code, given in sorted(self._found.items()) if len(given) > 1)
        return [f"{_and(sorted(given))} are one language and are read as {code}" for code, given in merged]


def _and(words: Iterable[str]) -> str:
    *others, last = map(repr, words)
    return f"{', '.join(others)} and {last}"
