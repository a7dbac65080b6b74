"""What is written about a field: in the docstring of its class or function, or beside it in a YAML file."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"(\w+): (.*)")
_KEY = re.compile(
    r"(?P<indent> *)(?P<key>[\w@/.]+):(?: +(?P<value>\"[^\"]*\"|'[^']*'|[^#]*?))?(?: +# (?P<comment>.*))?"
)


def described(documented: Any) -> dict[str, str]:
    """Name -> text of what a class or function says under `Args:` and `Attributes:`, base classes included."""
    texts: dict[str, str] = {}
    for owner in reversed(documented.__mro__) if inspect.isclass(documented) else [documented]:
        if owner is not object:
            texts |= dict(_entries(inspect.cleandoc(owner.__doc__ or "")))
    return texts


def _entries(docstring: str) -> Iterator[tuple[str, str]]:
    name, lines, inside = "", list[str](), False
    for line in [*docstring.splitlines(), "End:"]:
        entry = _ENTRY.fullmatch(line[4:]) if line.startswith("    ") and line[4:5].strip() else None
        leaves = bool(line) and not line.startswith(" ")
        if name and (entry or leaves):
            yield name, " ".join(lines)
            name = ""
        if leaves:
            inside = line in ("Args:", "Attributes:")
        elif inside and entry:
            name, lines = entry[1], [entry[2]]
        elif name and line.strip():
            lines.append(line.strip())


@dataclass(frozen=True)
class YamlFile:
    """A YAML file as its reader sees it.

    Attributes:
        header: the comment at its top, in one line.
        values: dotted key -> value as written; the text of a list or mapping that goes over several lines is empty.
        comments: dotted key -> what is written beside or above it.
        schemas: names of the schemas that its defaults list takes in, such as `schema/loss/infonce`.
        choices: group -> the choice of its defaults list, as written.
    """

    header: str
    values: dict[str, str]
    comments: dict[str, str]
    schemas: tuple[str, ...]
    choices: dict[str, str]


def read_yaml(path: Path) -> YamlFile:
    """Read values and comments; the files in `conf/` have two spaces a level."""
    lines = path.read_text(encoding="utf-8").splitlines()
    top = [line for line in lines[: _first(lines)] if not line.startswith("# @package")]
    values: dict[str, str] = {}
    comments: dict[str, str] = {}
    parents: list[str] = []
    above: list[str] = []
    for line in lines[_first(lines) :]:
        match = _KEY.fullmatch(line)
        if match is None:
            above = [*above, line.strip("# ")] if line.strip().startswith("#") else []
            continue
        depth = len(match["indent"]) // 2
        parents = [*parents[:depth], match["key"]]
        key = ".".join(parents)
        values[key] = (match["value"] or "").strip()
        comment = match["comment"] or " ".join(above)
        if comment:
            comments[key] = comment
        above = []
    defaults = re.findall(r"^  - (?:override )?(/?[\w/@.]+)(?:: (.*?))?(?: +#.*)?$", "\n".join(lines), re.M)
    schemas = tuple(name[1:].partition("@")[0] for name, _ in defaults if name.startswith("/schema/"))
    choices = {name.strip("/"): choice for name, choice in defaults if choice}
    return YamlFile(" ".join(line.strip("# ") for line in top), values, comments, schemas, choices)


def _first(lines: list[str]) -> int:
    """The first line that is no comment of the top."""
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
