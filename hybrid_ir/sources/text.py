"""What counts as usable text and as a language code."""

import hashlib
import re

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")


def text_fault(text: object) -> str | None:
    """What makes `text` unusable as a question or passage; None where nothing does.

    Faulty are: anything but a string, white space alone, a NUL character (a sign of damaged input) and a lone surrogate
    (half a character, which cannot be stored as UTF-8).
    """
    if not isinstance(text, str):
        return f"is {type(text).__name__}, not a string"
    if not text.strip():
        return "is empty"
    if "\0" in text:
        return f"has a NUL character at position {text.index(chr(0))}"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"has a lone surrogate (half a character) at position {error.start}"
    return None


def language_fault(code: object) -> str | None:
    """What makes `code` unusable as a language code (`en`, `zh-Hans`, `pt_BR`); None where nothing does."""
    if isinstance(code, str) and _LANGUAGE.fullmatch(code):
        return None
    return f"language code {code!r} is not of letters, digits, '-' and '_'"


def text_digest(text: str) -> int:
    """64 bits by which texts are told apart, never 0; white space around a text does not count."""
    return int.from_bytes(hashlib.blake2b(text.strip().encode(), digest_size=8).digest(), "little") or 1
