"""How a parallel corpus lies on disk: Arrow streams, an index and a manifest in one folder, published in one step.

    questions.arrow   id, group, text_{language} (null where absent) ...
    passages.arrow    the same
    examples.arrow    id, question (row), passage (row), negatives (list of passage rows)
    patterns.npy      the distinct combinations of languages of an example's two sides
    codes.npy         the pattern of each example; absent where there is one pattern only
    manifest.json     schema version, name, languages, notes of the build

The text columns have a prefix because a bare language code can be the name of another column (`id` is Indonesian).
"""

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from hybrid_ir.data.store.availability import Availability
from hybrid_ir.data.store.mapped import MappedTable
from hybrid_ir.sources.json_file import read_json_object

log = logging.getLogger(__name__)

SCHEMA_VERSION = 2  # raise it when the format, or what a reader makes of its source, changes: builds are then redone
BATCH_ROWS = 4096  # rows of a record batch: what a writer holds in memory
QUESTIONS, PASSAGES, EXAMPLES, MANIFEST = "questions.arrow", "passages.arrow", "examples.arrow", "manifest.json"
LOCKS = ".locks"  # folder beside the corpora

EXAMPLE_SCHEMA = pa.schema(
    [("id", pa.string()), ("question", pa.int32()), ("passage", pa.int32()), ("negatives", pa.list_(pa.int32()))]
)

_HASHED_WHOLE = 256 * 2**20  # bytes; a larger file is known by its size and modification time
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def text_column(language: str) -> str:
    """Name of the column that holds the texts of a language."""
    return f"text_{language}"


def text_schema(languages: Sequence[str]) -> pa.Schema:
    """Schema of the questions and the passages; `group` numbers groups of identical content."""
    texts = [(text_column(language), pa.string()) for language in languages]
    return pa.schema([("id", pa.string()), ("group", pa.int64()), *texts])


@dataclass(frozen=True)
class Manifest:
    """What the folder of a corpus says of itself.

    Attributes:
        name: name of the corpus.
        languages: all languages of its questions and passages, sorted.
        notes: what the reader had to say while it built the corpus (rows dropped, and why).
    """

    name: str
    languages: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        record = {"schema": SCHEMA_VERSION, "name": self.name, "languages": self.languages, "notes": self.notes}
        (folder / MANIFEST).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises ValueError where `folder` holds no corpus of this schema version."""
        try:
            record = read_json_object(folder / MANIFEST)
        except ValueError as error:
            raise ValueError(f"{folder} is no parallel corpus: cannot read its {MANIFEST} ({error})") from error
        if record.get("schema") != SCHEMA_VERSION:
            raise ValueError(
                f"{folder} was written with schema {record.get('schema')}, this version reads {SCHEMA_VERSION}; "
                "delete the folder and it is built anew"
            )
        notes = record.get("notes", record.get("remarks"))
        texts = [record.get("name"), *(record.get("languages") or [None]), *(notes if notes is not None else [None])]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{folder} is no parallel corpus: its {MANIFEST} is not of the form that is written")
        return cls(record["name"], tuple(record["languages"]), tuple(notes or ()))


def open_table(path: Path) -> MappedTable:
    """Memory-map one of a corpus' Arrow streams."""
    try:
        return MappedTable(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged ({error}); delete its folder and it is built anew") from error


def write_availability(folder: Path) -> None:
    """Index which example has which side in which language: the last step of a build."""
    columns = [text_column(language) for language in Manifest.read(folder).languages]
    examples, questions, passages = (open_table(folder / file) for file in (EXAMPLES, QUESTIONS, PASSAGES))
    Availability.of(examples, questions, passages, columns).save(folder)


def read_availability(folder: Path) -> Availability:
    """The index of a corpus."""
    try:
        return Availability.load(folder)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the index of {folder} is missing or damaged ({error}); delete the folder and it is built anew"
        ) from error


def fingerprint(reader: str, options: Mapping[str, Any], files: Mapping[str, Path]) -> str:
    """Names a build: two calls agree only where the schema, the reader, its options and its source files are the same.

    Args:
        reader: name of the reader.
        options: everything besides the files that decides the outcome; JSON types.
        files: role of the file -> file. A file counts with its content, one above 256 MiB with its size and
            modification time. Where it lies does not matter, nor the order of roles: where that decides the outcome,
            `options` has to name it.
    """
    facts = {
        "schema": SCHEMA_VERSION,
        "reader": reader,
        "options": options,
        "files": {role: _file_mark(path) for role, path in files.items()},
    }
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()


def _file_mark(path: Path) -> str:
    status = path.stat()
    if status.st_size > _HASHED_WHOLE:
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def publish(name: str, cache_dir: str | Path, mark: str, write: Callable[[Path], None]) -> Path:
    """The folder of a corpus, written unless a build with the same name and mark is there.

    `write` fills a temporary folder that is then renamed in one step: a folder is complete or absent, also where the
    process is killed. Of processes that ask for one corpus at the same time, on one machine or on a shared file system,
    one builds and the others wait for it, then use its folder. The lock is the operating system's: it ends with the
    process that holds it, and the next one removes what a killed one left and builds. Where a file system grants locks
    that others do not see, each builds for itself and the first to finish publishes.

    Args:
        name: of the corpus; becomes part of the folder's name.
        cache_dir: created where missing.
        mark: the build's fingerprint.
        write: writes all files into the folder it is given.

    Raises:
        ValueError: the name cannot be part of a file name, or something else occupies the folder's place.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"corpus name {name!r} is not of letters, digits, '.', '_' and '-'")
    target = Path(cache_dir) / f"{name}-{mark}"
    if (target / MANIFEST).is_file():
        return target
    with alone(target) as locked:
        if not (target / MANIFEST).is_file():
            if locked:
                _sweep(target)
            _build(target, write)
    return target


@contextmanager
def alone(target: Path) -> Iterator[bool]:
    """Wait until no other process makes `target`; False where the file system has no locks to tell by."""
    locks = target.parent / LOCKS  # kept: where a lock's file is removed, two processes may each hold one of its name
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / target.name, fallback_to_soft=False)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting for the process that makes %s", target)
            lock.acquire()
    except NotImplementedError:
        log.warning("%s cannot lock files: every process makes %s for itself", target.parent, target.name)
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _sweep(target: Path) -> None:
    """Remove what killed builds left."""
    for scratch in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(scratch)


def _build(target: Path, write: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        building = Path(scratch) / "corpus"  # of its own, for the usual permissions: `scratch` is for this user alone
        building.mkdir()
        write(building)
        try:
            os.replace(building, target)
        except OSError as error:
            if not (target / MANIFEST).is_file():
                raise ValueError(f"{target} is in the way and is no parallel corpus; remove it ({error})") from error
