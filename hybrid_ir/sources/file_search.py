"""Finding files: by a pattern that may be a literal path, by name below a folder, and one for each language."""

import logging
import os
from collections.abc import Iterator
from glob import escape, glob
from pathlib import Path

from hybrid_ir.sources.bcp47 import by_canonical
from hybrid_ir.sources.errors import InputError

log = logging.getLogger(__name__)


def matching(pattern: str) -> list[str]:
    """The paths that match a pattern with `*`, `?` and `[...]`, sorted; the path itself if there is such a path.

    The leading folders of the pattern that exist are taken literally, too, so `data[1]/*.jsonl` looks into `data[1]`.
    """
    if os.path.lexists(pattern):
        return [pattern]
    folder = Path(pattern).parent
    while not folder.is_dir():
        folder = folder.parent
    rest = Path(pattern).relative_to(folder)
    return sorted(glob(str(Path(escape(str(folder))) / rest) if folder != Path() else str(rest)))


def files_below(folder: Path, name: str) -> Iterator[Path]:
    """The files of this name in and below a folder. Links to folders are followed, but no folder is read twice.

    A folder that is below `folder` itself is found there, and not through a link.
    """
    seen: set[str] = set()
    folders: list[Path] = [folder]
    links: list[Path] = []
    while folders or links:
        current = folders.pop() if folders else links.pop(0)
        if (real := os.path.realpath(current)) in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError as error:
            log.warning("%s cannot be read and is left out: %s", current, error.strerror)
            continue
        for entry in entries:
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(Path(entry))
            elif entry.name == name:
                yield Path(entry)


def language_files(folder: Path) -> dict[str, Path]:
    """The files `{language}.json` of a folder: language code (BCP 47) -> file, in the order of their names.

    Hidden files (macOS writes `._en.json`) are not read.

    Raises:
        InputError: two files are named after the same language.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.json")) if not file.name.startswith(".")}
    try:
        return by_canonical(files)
    except ValueError as error:
        raise InputError(folder, f"files of one language: {error}") from None
