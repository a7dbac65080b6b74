"""The error for bad input; checks of texts, language codes and options that rooms share; the nearest known word."""

import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from hybrid_ir.sources.bcp47 import canonical

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")


class InputError(ValueError):
    """A fault in a source file. The message names the file and the position, so that the user can look at it.

    Args:
        path: the file, as the user named it.
        fault: what is wrong, what was found and, if possible, what to do.
        line: line number in a text file, counted from 1, or None.
        where: position inside a structured file (`data[3].paragraphs[0].qas[2]`), or None.
    """

    def __init__(self, path: str | Path, fault: str, *, line: int | None = None, where: str | None = None) -> None:
        position = f"{path}" + (f":{line}" if line is not None else "") + (f" at {where}" if where else "")
        super().__init__(f"{position}: {fault}")
        self.path, self.fault, self.line, self.where = path, fault, line, where


def first_line(error: Exception) -> str:
    """The first line of an error's message, or the name of its class if the message is empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def text_fault(text: object) -> str | None:
    """Why `text` cannot be a question or a passage, or None if it can.

    Rejected are values that are not strings, only white space, NUL characters (a sign of damaged input) and lone
    surrogates (half a character, which UTF-8 cannot store).
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
    """Why `code` is not a valid language code (`en`, `zh-Hans`, `pt_BR`), or None if it is one."""
    if isinstance(code, str) and _LANGUAGE.fullmatch(code):
        return None
    return f"language code {code!r} must be made of letters, digits, '-' and '_'"


def check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    """Raises ValueError, which lists the choices, if `value` is not one of them."""
    if value not in choices:
        raise ValueError(f"`{option}` must be {' or '.join(map(repr, choices))}, got {value!r}")


def check_languages(source: str, languages: Sequence[str], known: Collection[str]) -> None:
    """Raises ValueError, which lists the languages of the source, if `languages` is empty or names an unknown one."""
    unknown = sorted(set(languages) - set(known))
    if unknown or not languages:
        fault = f"has no {', '.join(unknown)}" if unknown else "needs at least one language, got none"
        raise ValueError(f"{source} {fault}; it has {', '.join(known)}")


def choose_languages(source: str, languages: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """The requested languages as the source spells them, without duplicates, in the order given; for None, all.

    Raises:
        ValueError: see `check_languages`.
    """
    spelled = {canonical(code): code for code in known}
    chosen = list(known if languages is None else dict.fromkeys(spelled.get(canonical(c), c) for c in languages))
    check_languages(source, chosen, known)
    return chosen


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The choice that is most like `word`, or that it abbreviates (`lr` for `learning_rate`); None if there is none.

    Args:
        word: what was typed.
        choices: what there is.
        cutoff: how alike they must be, from 0 (anything) to 1 (equal).
    """
    known = list(choices)
    found = get_close_matches(word, known, n=1, cutoff=max(cutoff, 0.6))
    found += [choice for choice in known if "_" in choice and word == "".join(part[:1] for part in choice.split("_"))]
    found += get_close_matches(word, known, n=1, cutoff=cutoff)
    return found[0] if found else None
