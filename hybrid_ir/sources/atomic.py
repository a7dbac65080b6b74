"""Files and folders that are either whole or absent."""

import glob
import os
import shutil
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


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """An empty folder to fill instead of `path`: it takes the place of `path` when the block ends well.

    Nobody ever sees half a folder; one that was at `path` is removed with all that is in it. When the block raises,
    what was written is removed and `path` is as it was. A process that is killed leaves its draft behind, which the
    next one for the same `path` removes, so only one process may be at it. Between taking the old folder away and
    putting the new one in its place there is a moment without either; a process that is killed then leaves the old one
    beside it, which the next one puts back.

    Raises:
        OSError: the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.draft"):
        shutil.rmtree(left, ignore_errors=True)
    draft, old = path.with_name(f".{path.name}.{uuid.uuid4().hex}.draft"), path.with_name(f".{path.name}.before")
    _put_back(old, path)
    draft.mkdir()
    try:
        yield draft
        if path.exists():
            os.replace(path, old)
        os.replace(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        _put_back(old, path)


def _put_back(old: Path, path: Path) -> None:
    """What `path` was, unless there is something newer in its place."""
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.exists():
        os.replace(old, path)
