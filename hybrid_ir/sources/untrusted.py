"""Escaping of untrusted text for display in a terminal, Markdown, YAML or a spreadsheet.

Names, labels, languages, configuration values and texts may come from files that other people made. Code that displays
one passes it through a function of this module first. HTML is escaped by Jinja's autoescape, after `printable`.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# Terminal commands: CSI, OSC and the other strings up to their end, and any other escape with its letter.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u2060\u2061\u2062\u2063\u2064\ufeff\ufff9\ufffa\ufffb")
_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")
_MARKDOWN = re.compile(r"[\\`*_\[\]|~$]|^[#>]|^[+-](?=\s)|^[=-]+(?=[=-]$)|^\d+[.)](?=\s)|(?<=:)//|(?<=\bwww)\.")
_ENTITIES = {"&": "&amp;", "<": "&lt;"}
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE)


def _unsafe(character: str) -> bool:
    return (
        character in _BIDI
        or character in _INVISIBLE
        or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or 0xE0000 <= ord(character) <= 0xE007F  # tags: invisible text
    )


def printable(text: str) -> str:
    """The text as one line, without escape sequences, lone surrogates, control, bidi and invisible characters.

    Line breaks become spaces. Joiners (U+200C, U+200D) stay: Persian, Hindi and emoji are written with them.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _SEQUENCE.sub("", text)
    return "".join(" " if character in _BREAKS else "" if _unsafe(character) else character for character in text)


def printable_lines(text: str) -> str:
    """`printable` applied to each line, for messages of several lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def for_markdown(text: str) -> str:
    """The text escaped for a line, table cell or heading of Markdown: no HTML, link, image, code or formula in it."""
    text = "".join(_ENTITIES.get(character, character) for character in printable(text))
    return _MARKDOWN.sub(lambda found: _escaped(found[0]), text)


def _escaped(mark: str) -> str:
    return "&#47;&#47;" if mark == "//" else f"{mark[:-1]}\\{mark[-1]}"


def for_code(text: str) -> str:
    """The text as a code span of Markdown that no backtick in the text can end; also valid in table cells."""
    text = printable(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def for_csv(cell: Any) -> Any:
    """The value as a CSV cell: texts that a spreadsheet would run as a formula get a leading apostrophe."""
    if not isinstance(cell, str):
        return cell
    cell = printable(cell)
    text = cell.lstrip()
    return f"'{cell}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else cell


def for_json(text: str) -> str:
    """Equivalent JSON text in which control, bidi and invisible characters are written as `\\uXXXX`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escape(character) if _unsafe(character) and character not in "\n\r\t" else character for character in text
    )


def printable_values(value: Any) -> Any:
    """Plain containers with `printable` applied to every text in them, including keys."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable_values(key): printable_values(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [printable_values(entry) for entry in value]
    return value


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
