"""The one error that bad input raises, and what to quote of the errors of others."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path


class InputError(ValueError):
    """A fault in a source file, said so that the reader can open the file and see it.

    Args:
        path: the file as the user named it.
        fault: what is wrong, what was found, and where possible what to do.
        line: 1-based line (text formats), or None.
        where: a place inside a structured file (`data[3].paragraphs[0].qas[2]`), or None.
    """

    def __init__(self, path: str | Path, fault: str, *, line: int | None = None, where: str | None = None) -> None:
        place = f"{path}" + (f":{line}" if line is not None else "") + (f" at {where}" if where else "")
        super().__init__(f"{place}: {fault}")
        self.path, self.fault, self.line, self.where = path, fault, line, where


def first_line(error: Exception) -> str:
    """What an error says, in one line; its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


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


def check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    """Raises ValueError, with the choices, where `value` is none of them."""
    if value not in choices:
        raise ValueError(f"{option} is {value!r}; it must be {' or '.join(map(repr, choices))}")


def check_languages(source: str, languages: Sequence[str], known: Collection[str]) -> None:
    """Raises ValueError, with the languages of the source, where `languages` is empty or names another."""
    unknown = sorted(set(languages) - set(known))
    if unknown or not languages:
        asked = f"has no {', '.join(unknown)}" if unknown else "is asked for no language"
        raise ValueError(f"{source} {asked}; it has {', '.join(known)}")


def choose_languages(source: str, languages: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """The languages asked for, each once, in the order asked for; None stands for all of the source.

    Raises:
        ValueError: as `check_languages` does.
    """
    chosen = list(known if languages is None else dict.fromkeys(languages))
    check_languages(source, chosen, known)
    return chosen
