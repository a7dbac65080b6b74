"""On-disk format of a parallel corpus: Arrow streams, an index and a manifest in one folder, written atomically.

    questions.arrow   id, group, text_{language} (null if absent) ...
    passages.arrow    the same
    examples.arrow    id, question (row), passage (row), negatives (list of passage rows)
    patterns.npy      the distinct combinations of the languages of an example's two sides
    codes.npy         the pattern of each example; absent if there is only one pattern
    manifest.json     schema version, name, languages, notes of the build, and the declared size if there is one

Text columns have a prefix, because a language code can be the name of another column (`id` is Indonesian).
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from hybrid_ir.data.store.availability import Availability
from hybrid_ir.data.store.mapped import MappedTable
from hybrid_ir.sources.file_lock import exclusive
from hybrid_ir.sources.json_file import read_json_object

SCHEMA_VERSION = 3  # raise it if the format, or what a reader makes of its source, changes: corpora are then rebuilt
BATCH_ROWS = 4096  # rows of a record batch, which a writer keeps in memory
QUESTIONS, PASSAGES, EXAMPLES, MANIFEST = "questions.arrow", "passages.arrow", "examples.arrow", "manifest.json"

EXAMPLE_SCHEMA = pa.schema(
    [("id", pa.string()), ("question", pa.int32()), ("passage", pa.int32()), ("negatives", pa.list_(pa.int32()))]
)

_HASHED_WHOLE = 256 * 2**20  # bytes; larger files are identified by size and modification time
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def text_column(language: str) -> str:
    """Name of the column with the texts of a language."""
    return f"text_{language}"


def text_schema(languages: Sequence[str]) -> pa.Schema:
    """Schema of the question and passage tables; `group` numbers groups of identical content."""
    texts = [(text_column(language), pa.string()) for language in languages]
    return pa.schema([("id", pa.string()), ("group", pa.int64()), *texts])


@dataclass(frozen=True)
class Manifest:
    """Description of a corpus, stored in its folder.

    Attributes:
        name: name of the corpus.
        languages: all languages of its questions and passages, sorted.
        notes: notes of the reader (such as rows that it dropped, and why).
        declared: size of the corpus in draws of corpora, if it is not the number of examples.
    """

    name: str
    languages: tuple[str, ...]
    notes: tuple[str, ...] = ()
    declared: int | None = None

    def write(self, folder: Path) -> None:
        record = {"schema": SCHEMA_VERSION, "name": self.name, "languages": self.languages, "notes": self.notes}
        record |= {} if self.declared is None else {"declared": self.declared}
        (folder / MANIFEST).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read a manifest. Raises ValueError if `folder` has no corpus of this schema version."""
        try:
            record = read_json_object(folder / MANIFEST)
        except ValueError as error:
            raise ValueError(f"{folder} is not a parallel corpus: cannot read its {MANIFEST} ({error})") from error
        if record.get("schema") != SCHEMA_VERSION:
            raise ValueError(
                f"{folder} was written with schema {record.get('schema')}, this version reads {SCHEMA_VERSION}; "
                "delete the folder to rebuild it"
            )
        notes = record.get("notes", record.get("remarks"))
        texts = [record.get("name"), *(record.get("languages") or [None]), *(notes if notes is not None else [None])]
        declared = record.get("declared")
        if not all(isinstance(text, str) for text in texts) or not (declared is None or _is_size(declared)):
            raise ValueError(f"{folder} is not a parallel corpus: its {MANIFEST} has an unexpected form")
        return cls(record["name"], tuple(record["languages"]), tuple(notes or ()), declared)


def _is_size(value: Any) -> bool:
    return type(value) is int and value > 0


def open_table(path: Path) -> MappedTable:
    """Memory-map an Arrow stream of a corpus. Raises ValueError if it is missing or damaged."""
    try:
        return MappedTable(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged ({error}); delete its folder to rebuild it") from error


def write_availability(folder: Path) -> None:
    """Write the availability index, the last step of a build."""
    columns = [text_column(language) for language in Manifest.read(folder).languages]
    examples, questions, passages = (open_table(folder / file) for file in (EXAMPLES, QUESTIONS, PASSAGES))
    Availability.of(examples, questions, passages, columns).save(folder)


def read_availability(folder: Path) -> Availability:
    """Read the availability index. Raises ValueError if it is missing or damaged."""
    try:
        return Availability.load(folder)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the index of {folder} is missing or damaged ({error}); delete the folder to rebuild it"
        ) from error


def fingerprint(reader: str, options: Mapping[str, Any], files: Mapping[str, Path]) -> str:
    """Fingerprint of a build: equal only if the schema, the reader, its options and its source files are the same.

    Args:
        reader: name of the reader.
        options: everything besides the files that decides the outcome; JSON types.
        files: role of the file -> file. Files count with their content, files above 256 MiB with their size and
            modification time. Paths and the order of roles do not count; if the order decides the outcome, put it into
            `options`.
    """
    facts = {
        "schema": SCHEMA_VERSION,
        "reader": reader,
        "options": options,
        "files": {role: _file_fingerprint(path) for role, path in files.items()},
    }
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()


def _file_fingerprint(path: Path) -> str:
    status = path.stat()
    if status.st_size > _HASHED_WHOLE:
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def publish(name: str, cache_dir: str | Path, build: str, write: Callable[[Path], None]) -> Path:
    """The folder of a corpus, built unless it already exists with the same name and fingerprint.

    `write` fills a temporary folder that is then renamed, so a folder is either complete or absent, even if the process
    is killed. If several processes need the same corpus at once, on one machine or on a shared file system, one builds
    it while the others wait. The lock belongs to the operating system and ends with the process that holds it; the next
    process removes what a killed one left behind, and builds. On a file system with locks that other machines do not
    see, each process builds for itself, and the first to finish publishes.

    Args:
        name: name of the corpus, part of the folder's name.
        cache_dir: folder of all corpora, created if missing.
        build: fingerprint of the build.
        write: function that writes all files into the folder it is given.

    Raises:
        ValueError: the name cannot be part of a file name, or something else is at the folder's path.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a corpus name must be made of letters, digits, '.', '_' and '-', got {name!r}")
    target = Path(cache_dir) / f"{name}-{build}"
    if (target / MANIFEST).is_file():
        return target
    with exclusive(target) as locked:
        if not (target / MANIFEST).is_file():
            if locked:
                _sweep(target)
            _build(target, write)
    return target


def _sweep(target: Path) -> None:
    """Remove the remains of killed builds."""
    for scratch in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(scratch)


def _build(target: Path, write: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        building = Path(scratch) / "corpus"  # a subfolder with the usual permissions: `scratch` is private to this user
        building.mkdir()
        write(building)
        try:
            os.replace(building, target)
        except OSError as error:
            if not (target / MANIFEST).is_file():
                raise ValueError(f"{target} exists and is not a parallel corpus; remove it ({error})") from error
