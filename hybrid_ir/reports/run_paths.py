"""Replaces absolute paths in results by names of folders, such as `<data>/...`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A slash that begins an absolute path, also within lists and mappings of overrides: `{en:/a/b,de:/a/c}`.
ABSOLUTE = re.compile(r"""(?:(?<![\w.~>/-])|(?<=file://))/(?!/)[^\s,'"\]})]+""")


class PrivatePathError(ValueError):
    """An absolute path that is in none of the known folders."""


def without_places(value: Any, places: Mapping[str, str]) -> Any:
    """Plain containers with absolute paths in their strings replaced by `<name>/rest`, for the longest known folder.

    Relative paths and keys of mappings are kept.

    Args:
        value: plain containers, such as a run's provenance.
        places: name -> absolute folder.

    Raises:
        PrivatePathError: an absolute path is in none of the folders.
    """
    if isinstance(value, Mapping):
        return {key: without_places(entry, places) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_places(entry, places) for entry in value]
    if isinstance(value, str):
        return ABSOLUTE.sub(lambda found: _renamed(found[0], places), value)
    return value


def absolute_places(config: Mapping[str, Any]) -> dict[str, str]:
    """The absolute `paths` of a configuration: `data`, `cache`, `outputs`, `run`."""
    return {key: place for key, place in (config.get("paths") or {}).items() if place and Path(place).is_absolute()}


def _renamed(path: str, places: Mapping[str, str]) -> str:
    for name, place in sorted(places.items(), key=lambda item: -len(item[1])):
        if path == place or path.startswith(f"{place.rstrip('/')}/"):
            return f"<{name}>{path[len(place.rstrip('/')) :]}"
    raise PrivatePathError(
        f"{path} is a path of this machine, in none of the run's `paths`; name a folder that holds it: "
        "--place NAME=FOLDER"
    )
