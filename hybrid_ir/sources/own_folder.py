"""Folders that are written to hold no links: what somebody else put there leads no writing or deleting elsewhere."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

LINKED_WITHIN = ("wandb", ".submitit")  # their libraries link to files of the same folder


def refuse_links(folder: str | Path) -> None:
    """Refuse a folder that is to be written to, if anything in it is a link or no ordinary file.

    The folder itself may be reached over links: they are the user's. Links in the folder may be somebody else's, and
    `figures`, `evaluations` or `train.log` would be written where they point. Links of W&B and submitit that stay in
    the folder of these libraries are allowed.

    Raises:
        ValueError: names the first link, and where it leads.
    """
    root = Path(folder)
    for parent, folders, files in os.walk(root):
        for name in sorted([*folders, *files]):
            path = Path(parent) / name
            _refuse_link(root, path)


def refuse_links_to(root: str | Path, paths: Iterable[Path]) -> None:
    """Refuse to write `paths` below `root`, if one of them, or a folder between, is a link or no ordinary file.

    For commands that write a few files into a folder whose other links are only read.

    Raises:
        ValueError: as `refuse_links`.
    """
    root = Path(root)
    for path in paths:
        below = path.relative_to(root)
        for length in range(1, len(below.parts) + 1):
            _refuse_link(root, root.joinpath(*below.parts[:length]))


def _refuse_link(root: Path, path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        if _stays_within(root, path):
            return
        raise ValueError(
            f"{path} is a link to {os.readlink(path)}, and {root} is to be written to; nothing was written. Replace "
            "the link by what it points to, or write elsewhere"
        )
    raise ValueError(f"{path} is neither a file nor a folder, and {root} is to be written to; remove it")


def _stays_within(root: Path, path: Path) -> bool:
    """Whether the link `path` is one of a library, to a file of that library's own folder."""
    below = path.relative_to(root).parts[:-1]
    folder = next((root.joinpath(*below[: at + 1]) for at, name in enumerate(below) if name in LINKED_WITHIN), None)
    return folder is not None and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
