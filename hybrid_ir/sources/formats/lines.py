"""Lines of plain or gzipped text files, with errors that name the file and the line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_ir.sources.errors import InputError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST = 64 * 2**20  # bytes of a line; a passage has some thousands


class Line(NamedTuple):
    """One line of a file, as bytes, so that skipped lines are never decoded.

    Attributes:
        path: the file.
        number: line number, counted from 1.
        raw: the bytes of the line, without the line end.
    """

    path: Path
    number: int
    raw: bytes

    def fault(self, text: str) -> InputError:
        """An error that names this line."""
        return InputError(self.path, text, line=self.number)

    @property
    def text(self) -> str:
        """The line as text. Raises InputError if it is not UTF-8."""
        try:
            return self.raw.decode()
        except UnicodeDecodeError as error:
            raise self.fault(f"not UTF-8: {error.reason} at byte {error.start} of the line") from None

    def fields(self, columns: int) -> list[str]:
        """The tab-separated fields. Raises InputError if there are not exactly `columns` of them."""
        found = self.text.split("\t")
        if len(found) != columns:
            raise self.fault(f"expected {columns} tab-separated columns, found {len(found)}: {self.text[:60]!r}")
        return found

    def columns(self, count: int, names: str = "") -> list[str]:
        """The columns of a line of a TREC file; a line with a tab is split at tabs alone, so that ids may hold spaces.

        Args:
            count: how many there must be.
            names: their names, for errors.

        Raises:
            InputError: there are more or fewer, or the line is empty.
        """
        text = self.text.rstrip()
        found = text.split("\t") if "\t" in text else text.split()
        if len(found) != count:
            what = f"expected {count} columns{names and f' ({names})'}, found {len(found)}"
            raise self.fault(f"{what}: {text[:60]!r}" if text else "an empty line")
        return found

    def record(self) -> dict[str, Any]:
        """The JSON object of the line. Raises InputError if it is not one, or if an object has a key twice."""
        text = self.text
        try:
            value = json.loads(text, object_pairs_hook=_distinct)
        except json.JSONDecodeError as error:
            what = "not JSON" if self.raw.strip() else "an empty line"
            raise self.fault(f"{what}: {error.msg} (column {error.colno})") from None
        except (ValueError, RecursionError) as error:  # a number with thousands of digits, or brackets nested too deep
            raise self.fault(f"invalid JSON: {error}") from None
        if not isinstance(value, dict):
            raise self.fault(f"a line must be one JSON object, found {type(value).__name__}")
        return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice in one object")
    return record


def text_suffix(path: Path) -> str:
    """The suffix of a text file's name, without `.gz`: `.jsonl` for `a.jsonl.gz`."""
    return Path(path.name.removesuffix(".gz")).suffix


def read_records(path: Path) -> Iterator[tuple[Line, dict[str, Any]]]:
    """The lines of a JSON lines file, each with its object. Raises InputError like `read_lines` and `Line.record`."""
    for line in read_lines(path):
        yield line, line.record()


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file, read one at a time. A `.gz` file is decompressed while it is read.

    A byte order mark at the beginning of the file is skipped, and so are empty lines at its end.

    Raises:
        InputError: the file cannot be read or is damaged; names the last line that could be read.
    """
    number, empty = 0, []
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(iter(partial(file.readline, LONGEST + 1), b""), start=1):
                if len(raw) > LONGEST:
                    raise InputError(path, f"a line of more than {LONGEST:,} bytes", line=number)
                text = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
                line = Line(path, number, text.rstrip(b"\r\n"))
                if not line.raw.strip():  # kept back until a line follows
                    empty.append(line)
                    continue
                yield from empty
                empty.clear()
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        position = " after this line" if number else ""
        raise InputError(path, f"the compressed file is damaged{position}: {error}", line=number or None) from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
