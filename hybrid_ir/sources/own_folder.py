"""Protection of output folders against links, through which a write or a deletion would land somewhere else."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

LINKED_WITHIN = ("wandb", ".submitit")  # W&B and submitit create links within their own folders


def refuse_links(folder: str | Path) -> None:
    """Check that an output folder contains only regular files and folders.

    The path of the folder itself may contain links, since the user typed it. Links inside the folder may come from
    another person, and `figures`, `evaluations` or `train.log` would be written to their targets. Links that W&B and
    submitit create within their own folders are allowed.

    Raises:
        ValueError: there is a link or a special file. Names the first one and its target.
    """
    root = Path(folder)
    for parent, folders, files in os.walk(root):
        for name in sorted([*folders, *files]):
            path = Path(parent) / name
            _refuse_link(root, path)


def refuse_links_to(root: str | Path, paths: Iterable[Path]) -> None:
    """Check that none of `paths`, nor a folder between them and `root`, is a link or a special file.

    For commands that write only a few files into a folder and may read through its other links.

    Raises:
        ValueError: see `refuse_links`.
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
            f"{path} is a link to {os.readlink(path)}, and the output folder {root} must not contain links; nothing "
            "was written. Replace the link with a copy of its target, or choose another folder"
        )
    raise ValueError(f"{path} is neither a file nor a folder; remove it, or choose another folder than {root}")


def _stays_within(root: Path, path: Path) -> bool:
    """Whether the link `path` is in the folder of W&B or submitit and points into that folder."""
    below = path.relative_to(root).parts[:-1]
    folder = next((root.joinpath(*below[: at + 1]) for at, name in enumerate(below) if name in LINKED_WITHIN), None)
    return folder is not None and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
