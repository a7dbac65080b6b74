"""Locks between processes: one works on a file or folder, and the others wait."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

LOCKS = ".locks"  # folder next to what is locked


@contextmanager
def exclusive(target: Path, file: Path | None = None) -> Iterator[bool]:
    """Wait until no other process works on `target`, then keep the others waiting for the length of the block.

    Args:
        target: the file or folder.
        file: the file to lock; by default one in `.locks` next to the target.

    Yields:
        Whether the target is locked: False, with a warning, on a file system without locks.
    """
    file = file or target.parent / LOCKS / target.name  # never removed: two processes could hold a lock of one name
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, fallback_to_soft=False)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting for the process that works on %s", target)
            lock.acquire()
    except NotImplementedError:
        log.warning("%s does not support file locks: every process works on %s for itself", target.parent, target.name)
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
