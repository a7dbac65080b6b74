"""The options in which the configurations of arms differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Settings = Mapping[str, str]  # dotted key of a configuration -> its value, without options that are off
TARGET = "_target_"


def settings_of(config: Mapping[str, Any]) -> Settings:
    """The options of a configuration by their dotted keys."""
    return dict(_leaves(config, ""))


def differing(settings: Sequence[Settings]) -> list[str]:
    """The options in which configurations differ, in their order.

    If the class of a part differs (`loss._target_`), the class is named: an option that not all configurations have
    counts only if it distinguishes two of the same class.
    """
    keys = dict.fromkeys(key for each in settings for key in each)
    return [key for key in keys if _differs(key, settings)]


def class_around(key: str, settings: Settings) -> str | None:
    """The class of the innermost part that an option belongs to; None if there is none."""
    words = key.removesuffix(f".{TARGET}").split(".")[:-1]
    parts = (".".join(words[:count]) for count in range(len(words), 0, -1))
    return next((settings[target] for part in parts if (target := f"{part}.{TARGET}") in settings), None)


def option(key: str) -> str:
    """An option as typed on the command line; the class of a part has the part's name."""
    return key.removesuffix(f".{TARGET}")


def value(key: str, text: str | None) -> str:
    """A value as shown in tables; a class by its bare name."""
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
    """A value as typed on the command line."""
    if isinstance(entry, list):
        return f"[{', '.join(map(_typed, entry))}]"
    return str(entry).lower() if isinstance(entry, bool) else str(entry)
