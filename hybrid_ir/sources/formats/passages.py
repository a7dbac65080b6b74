"""Passages of a corpus of one's own: JSON lines or Parquet, one file or many, never in memory as a whole.

    {"id": "7", "text": "...", "title": "...", "language": "de"}      .jsonl, .jsonl.gz; .parquet has these columns

`id` may be written `_id`; title and language are optional, and other fields are passed over.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from glob import glob
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.formats.beir import COLUMNS, read_fields
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records
from hybrid_ir.sources.hub.fetch import sha256_of

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
UNDETERMINED = "und"  # ISO 639-2's code for texts that do not say their language
LONGEST_ID = 512  # bytes; ids are kept in arrays of one width
PORTION = 1024  # rows of a Parquet file read at a time


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage and where it stands.

    Attributes:
        id: names it; unique in the corpus, which is for the reader of all files to check.
        text: without the title.
        title: empty where there is none.
        language: its code, `UNDETERMINED` where neither it nor the caller says one.
        line: the line, of a Parquet file the row, counted from 1.
    """

    id: str
    text: str
    title: str
    language: str
    line: Line


def find_files(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files that are named, in the order of their names; `*` in a name stands for anything, sorted.

    Raises:
        ValueError: there is no such file, one comes twice, or a name has none of `SUFFIXES`.
    """
    files = [Path(name) for pattern in patterns for name in (sorted(glob(pattern)) or [pattern])]
    for number, path in enumerate(files):
        if not path.name.endswith(SUFFIXES):
            raise ValueError(f"corpus={path}: a corpus is a file of {', '.join(SUFFIXES)}")
        if not path.is_file():
            raise ValueError(f"corpus={path}: there is no such file")
        if path in files[:number]:
            raise ValueError(f"corpus={path} is named twice")
    return tuple(files)


def read_passages(files: Sequence[Path], language: str | None = None) -> Iterator[Passage]:
    """The passages of all files, one after the other.

    Args:
        files: as from `find_files`.
        language: of passages that name none.

    Raises:
        InputError: a file cannot be read, or a row is faulty: no JSON object, id or text missing, empty or no text, a
            malformed language, an id of more than `LONGEST_ID` bytes. Names file and line (or row).
    """
    for path in files:
        for line, record in _parquet_rows(path) if path.suffix == ".parquet" else read_records(path):
            fields = read_fields(line, record)
            if (size := len(fields.id.encode())) > LONGEST_ID:
                raise line.fault(f"the id has {size} bytes, and may have {LONGEST_ID}: {fields.id[:40]!r}...")
            code = fields.language or language or UNDETERMINED
            yield Passage(fields.id, fields.text, fields.title, code, line)


def _parquet_rows(path: Path) -> Iterator[tuple[Line, Mapping[str, Any]]]:
    row = 0
    try:
        file = pq.ParquetFile(path)
        columns = [name for name in file.schema_arrow.names if name in ("_id", *COLUMNS)]
        if "text" not in columns or not {"id", "_id"} & set(columns):
            raise InputError(path, f"the columns id and text are needed; there is {', '.join(file.schema_arrow.names)}")
        for batch in file.iter_batches(PORTION, columns=columns):
            for record in batch.to_pylist():
                row += 1
                yield Line(path, row, b""), record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        fault = f"no Parquet file, or damaged behind row {row}: {first_line(error)}"
        raise InputError(path, fault) from None


@dataclass(frozen=True)
class Corpus:
    """The passages of one language, a line each.

    Attributes:
        language: of all its passages.
        files: in their order; `.gz` files are decompressed on the way.
        parse: makes id and text of a line; raises InputError.
    """

    language: str
    files: tuple[Path, ...]
    parse: Callable[[Line], tuple[str, str]]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content of all files, in their order, and of the kind of parser."""
        contents = [sha256_of(path) for path in self.files]
        return hashlib.sha256(json.dumps([type(self.parse).__name__, self.language, *contents]).encode()).hexdigest()

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """All lines of all files, `size` at a time, unparsed: who skips a block does not pay for its JSON."""
        lines = (line for path in self.files for line in read_lines(path))
        while block := list(islice(lines, size)):
            yield block
