"""Files that are either whole or absent."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path, durable: bool = False) -> Iterator[Path]:
    """A path to write to instead of `path`: it takes the place of `path` when the block ends well.

    Nobody ever sees half a file. Several processes may write the same file: the last one wins, whole. When the block
    raises, what was written is removed and `path` is as it was. Missing folders are made. A killed process leaves its
    draft behind, which `remove_drafts` finds.

    Args:
        path: the file.
        durable: have it on the disk itself, not in the system's memory, before it takes its place: then a power cut
            leaves a whole file too. Costs the time of the writing.

    Raises:
        OSError: the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex}.tmp")
    try:
        yield draft
        if durable:
            _flush(draft)
        os.replace(draft, path)
        if durable:
            _flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes left of files in `folder`; nobody may be writing there."""
    for draft in folder.glob(".*.tmp"):
        draft.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
