"""Atomic writes: a file or folder is either complete or absent."""

import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path, durable: bool = False) -> Iterator[Path]:
    """A draft path to write to, which replaces `path` when the block succeeds.

    Readers never see a partial file. Several processes may write the same file; the last one wins, and its file is
    complete. If the block raises, the draft is removed and `path` stays as it was. Missing parent folders are created.
    A killed process leaves its draft behind; `remove_drafts` deletes it.

    Args:
        path: the file.
        durable: flush the file to disk before it replaces `path`, so that it is complete even after a power cut. Takes
            as long as the disk takes to write it.

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
    """Remove the drafts that killed processes left in `folder`. No process may be writing there."""
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
    """An empty draft folder to fill, which replaces `path` when the block succeeds.

    Readers never see a partial folder. An existing folder at `path` is removed with its contents. If the block raises,
    the draft is removed and `path` stays as it was. A killed process leaves its draft behind, and the next process that
    writes `path` removes it, so only one process may write `path` at a time. For a moment between moving the old folder
    away and moving the new one in, neither exists. A process killed then leaves the old folder under another name, and
    the next one restores it.

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
    """Restore the old folder, unless there is a newer one at `path`."""
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.exists():
        os.replace(old, path)
