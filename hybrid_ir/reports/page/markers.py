"""Finds the marked parts of a Markdown page: `<!-- table: FOLDER... key=value -->`, generated text, `<!-- end -->`."""

import re
import shlex
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.sources.errors import InputError, nearest

KEYS = {  # kind of part -> its options
    "report": ("section", "benchmark", "metrics", "arms"),
    "table": ("benchmark", "metrics", "arms", "interval", "before"),
    "pivot": ("benchmark", "metrics", "arms", "across", "minus"),
    "value": ("benchmark", "metric", "arm", "minus", "show", "before"),
}
INLINE = ("value",)
MARK = re.compile(r"<!--\s*(?:(\w+):\s((?:(?!-->|<!--).)*)|end\s*)-->", re.DOTALL)  # linear
FENCE = re.compile(r"(`{3,}|~{3,})")
TICKS = re.compile("`+")
BEGINNING = re.compile(r"[\s>*+\-\d.)]*")  # quote and list characters at the start of a line
SWITCH = {"yes": True, "no": False}


@dataclass(frozen=True)
class Marker:
    """A marked part of a page.

    Attributes:
        path: path of the page.
        line: line of the page in which the part begins, from 1.
        kind: a key of `KEYS`.
        folders: folders of runs, condensed or not, relative to the working directory.
        options: option -> value.
        begin: start of the old content in the text of the page.
        end: end of the old content.
    """

    path: Path
    line: int
    kind: str
    folders: tuple[str, ...]
    options: Mapping[str, str]
    begin: int
    end: int

    def fault(self, message: str) -> InputError:
        """An error that names file and line."""
        return InputError(self.path, f"{self.kind}: {message}", line=self.line)

    def listed(self, key: str) -> list[str]:
        """The comma-separated values of an option; none if it is not given."""
        return [part.strip() for part in self.options.get(key, "").split(",") if part.strip()]

    def needed(self, key: str) -> str:
        """The value of a required option."""
        if not self.options.get(key):
            raise self.fault(f"{key}= is missing")
        return self.options[key]

    def switch(self, key: str) -> bool:
        """The value of an option that is `yes` or `no` (the default)."""
        return SWITCH[self.chosen(key, self.options.get(key, "no"), SWITCH)]

    def chosen(self, what: str, word: str, choices: Mapping[str, object]) -> str:
        """`word`, after checking that it is one of the choices.

        Raises:
            InputError: it is not; the message suggests the nearest, or all.
        """
        if word in choices:
            return word
        near = nearest(word, choices)
        raise self.fault(f"no {what} {word!r}; " + (f"did you mean {near!r}?" if near else f"there is {_all(choices)}"))


def find_markers(path: Path, text: str) -> Iterator[Marker]:
    """The marked parts of a page, in order; markers in code are ignored.

    Raises:
        InputError: a part has no end, an end has no part, or a kind or key is unknown.
    """
    code = list(_code(MARK.sub(lambda mark: "x" * len(mark[0]), text)))
    begins = [begin for begin, _ in code]
    marks = [mark for mark in MARK.finditer(text) if not _within(mark.start(), begins, code)]
    opened: re.Match[str] | None = None
    for mark in marks:
        line = text.count("\n", 0, mark.start()) + 1
        if mark[1] is None:
            if opened is None:
                raise InputError(path, "an end without a part before it", line=line)
            yield _marker(path, text, opened, mark.start())
            opened = None
        elif mark[1] in KEYS or nearest(mark[1], KEYS):
            if opened is not None:
                raise InputError(path, f"{opened[1]} without <!-- end -->", line=_line(text, opened))
            opened = mark
    if opened is not None:
        raise InputError(path, f"{opened[1]} without <!-- end -->", line=_line(text, opened))


def _within(position: int, begins: Sequence[int], spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a position is in one of the spans, which are sorted and disjoint."""
    at = bisect_right(begins, position) - 1
    return at >= 0 and position < spans[at][1]


def _code(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the fenced blocks and code spans of a page, in order. A fence without an end is ignored."""
    opened: tuple[int, str] | None = None
    position, waiting = 0, list[tuple[int, int]]()
    for line in text.splitlines(keepends=True):
        fence, end = FENCE.match(line), position + len(line)
        if opened is None and fence is not None:
            opened = position, fence[1]
        elif opened is not None and line.startswith(opened[1]):
            yield opened[0], position + len(opened[1])
            opened, waiting = None, []
        elif opened is not None:
            waiting += _spans(line, position)
        else:
            yield from _spans(line, position)
        position = end
    yield from waiting


def _spans(line: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of the code spans of a line: a run of backticks is closed by the next of the same length."""
    runs = [found.span() for found in TICKS.finditer(line)]
    later: dict[int, list[int]] = {}
    for number, (begin, end) in enumerate(runs):
        later.setdefault(end - begin, []).append(number)
    number = 0
    while number < len(runs):
        begin, end = runs[number]
        same = later[end - begin]
        following = bisect_right(same, number)
        if following < len(same):
            number = same[following]
            yield start + begin, start + runs[number][1]
        number += 1


def _marker(path: Path, text: str, mark: re.Match[str], end: int) -> Marker:
    line, kind = _line(text, mark), mark[1]
    if kind not in KEYS:
        raise InputError(path, f"no part is called {kind!r}; did you mean {nearest(kind, KEYS)!r}?", line=line)
    try:
        words = shlex.split(mark[2])
    except ValueError as error:
        raise InputError(path, f"{kind}: {str(error).lower()}", line=line) from None
    folders = tuple(word for word in words if "=" not in word)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    marker = Marker(path, line, kind, folders, options, mark.end(), end)
    for key in options:
        marker.chosen("key", key, dict.fromkeys(KEYS[kind]))
    if not folders:
        raise marker.fault("no folder of runs is named")
    if kind in INLINE and BEGINNING.fullmatch(text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]):
        raise marker.fault("it begins a line, which Markdown then takes for HTML; put a word before it")
    return marker


def _line(text: str, mark: re.Match[str]) -> int:
    return text.count("\n", 0, mark.start()) + 1


def _all(choices: Mapping[str, object]) -> str:
    return ", ".join(map(str, choices)) or "nothing to choose from"
