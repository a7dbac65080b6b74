"""The options in which configurations differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Settings = Mapping[str, str]  # dotted key of a configuration -> its value, without options that are off
TARGET = "_target_"


def settings_of(config: Mapping[str, Any]) -> Settings:
    """The options of a configuration by their dotted keys."""
    return dict(_leaves(config, ""))


def differing(settings: Sequence[Settings]) -> list[str]:
    """The options that tell configurations apart, in the order in which they have them.

    A part of another class (`loss._target_`) is told by the class: an option that not all of them have counts only
    where it tells two of one class apart.
    """
    keys = dict.fromkeys(key for each in settings for key in each)
    return [key for key in keys if _differs(key, settings)]


def class_around(key: str, settings: Settings) -> str | None:
    """The class of the innermost part that an option belongs to; None outside of any."""
    words = key.removesuffix(f".{TARGET}").split(".")[:-1]
    parts = (".".join(words[:count]) for count in range(len(words), 0, -1))
    return next((settings[target] for part in parts if (target := f"{part}.{TARGET}") in settings), None)


def option(key: str) -> str:
    """An option as it is typed on the command line; the class of a part is the part."""
    return key.removesuffix(f".{TARGET}")


def value(key: str, text: str | None) -> str:
    """A value as a table shows it: of a class its name alone."""
    if text is None:
        return "null"
    return text.rpartition(".")[2] if key.endswith(f".{TARGET}") else text


def _differs(key: str, settings: Sequence[Settings]) -> bool:
    if all(key in each for each in settings):
        return len({each[key] for each in settings}) > 1
    found: dict[str | None, set[str | None]] = {}
    for each in settings:
        found.setdefault(class_around(key, each), set()).add(each.get(key))
    return any(len(values) > 1 for values in found.values())


def _leaves(part: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping) and part:
        for key, entry in part.items():
            yield from _leaves(entry, f"{name}.{key}" if name else str(key))
    else:
        yield name, _typed(part)


def _typed(entry: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(entry, list):
        return f"[{', '.join(map(_typed, entry))}]"
    return str(entry).lower() if isinstance(entry, bool) else str(entry)
