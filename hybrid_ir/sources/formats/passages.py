"""Passages streamed from files: a user's own corpus (JSON lines or Parquet), and corpora too large for memory.

    {"id": "7", "text": "...", "title": "...", "language": "de"}      .jsonl, .jsonl.gz; the columns of a .parquet

The key `id` may also be `_id`. Title and language are optional; other fields are ignored. A title without a text is the
text.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hybrid_ir.sources.bcp47 import Spellings, canonical
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.file_search import matching
from hybrid_ir.sources.formats.beir import COLUMNS, read_fields
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records
from hybrid_ir.sources.hub.fetch import sha256_of

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
UNDETERMINED = "und"  # ISO 639-2's code for an undetermined language
LONGEST_ID = 512  # bytes; ids are stored in arrays of fixed width
PORTION = 1024  # rows of a Parquet file that are read at a time


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a user's corpus, with its position.

    Attributes:
        id: unique in the corpus; callers check this, since only they see all files.
        text: the text, without the title.
        title: the title, or an empty string.
        language: the language code; `UNDETERMINED` if neither the passage nor the caller names one.
        line: the line, or the row of a Parquet file, counted from 1.
    """

    id: str
    text: str
    title: str
    language: str
    line: Line


def find_files(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files that the patterns name, in the order of the patterns; the matches of a pattern are sorted, and
    a path that exists is no pattern.

    Raises:
        ValueError: there is no such file, a file is named twice, or its name ends in none of `SUFFIXES`.
    """
    files = [Path(name) for pattern in patterns for name in (matching(pattern) or [pattern])]
    for number, path in enumerate(files):
        if not path.name.endswith(SUFFIXES):
            raise ValueError(f"corpus={path}: a corpus must be a file that ends in {', '.join(SUFFIXES)}")
        if not path.is_file():
            raise ValueError(f"corpus={path}: there is no such file")
        if path in files[:number]:
            raise ValueError(f"corpus={path} is named twice")
    return tuple(files)


def read_passages(
    files: Sequence[Path], language: str | None = None, spellings: Spellings | None = None, allow_empty: bool = False
) -> Iterator[Passage]:
    """The passages of all files, one after the other.

    Args:
        files: files, as `find_files` returns them.
        language: language of the passages that name none.
        spellings: notes how the files write language codes, which are read in one spelling.
        allow_empty: whether a passage may have neither title nor text.

    Raises:
        InputError: a file cannot be read, or a row is invalid: it is not a JSON object; id or text is missing, empty or
            not a string; the language is malformed; the id is longer than `LONGEST_ID` bytes. Names file and line (or
            row).
    """
    spellings = spellings or Spellings()
    for path in files:
        for line, record in _parquet_rows(path) if path.suffix == ".parquet" else read_records(path):
            fields = read_fields(line, record, spellings, allow_empty)
            if (size := len(fields.id.encode())) > LONGEST_ID:
                raise line.fault(f"the id must have at most {LONGEST_ID} bytes, got {size}: {fields.id[:40]!r}...")
            code = canonical(fields.language or language or UNDETERMINED)
            yield Passage(fields.id, fields.text, fields.title, code, line)


def _parquet_rows(path: Path) -> Iterator[tuple[Line, Mapping[str, Any]]]:
    row = 0
    try:
        file = pq.ParquetFile(path)
        columns = [name for name in file.schema_arrow.names if name in ("_id", *COLUMNS)]
        if "text" not in columns or not {"id", "_id"} & set(columns):
            raise InputError(path, f"the columns id and text are required; found {', '.join(file.schema_arrow.names)}")
        for batch in file.iter_batches(PORTION, columns=columns):
            for record in batch.to_pylist():
                row += 1
                yield Line(path, row, b""), record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        fault = f"not a Parquet file, or damaged after row {row}: {first_line(error)}"
        raise InputError(path, fault) from None


@dataclass(frozen=True)
class Corpus:
    """The passages of one language, one per line, read from disk whenever they are needed.

    Attributes:
        language: language of all passages.
        files: the files, in order; `.gz` files are decompressed while they are read.
        parse: function from a line to id and text; raises InputError.
    """

    language: str
    files: tuple[Path, ...]
    parse: Callable[[Line], tuple[str, str]]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the contents of all files, in order, and the class of the parser."""
        contents = [sha256_of(path) for path in self.files]
        return hashlib.sha256(json.dumps([type(self.parse).__name__, self.language, *contents]).encode()).hexdigest()

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """Unparsed lines of all files, `size` at a time. A block that is skipped costs no JSON parsing."""
        lines = (line for path in self.files for line in read_lines(path))
        while block := list(islice(lines, size)):
            yield block
