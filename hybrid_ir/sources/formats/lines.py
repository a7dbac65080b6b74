"""Lines of text files, compressed or not; a fault names the file and the line."""

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
    """One line of a file, as bytes, so that who skips it need not decode it.

    Attributes:
        path: the file.
        number: counted from 1.
        raw: its bytes without the line end.
    """

    path: Path
    number: int
    raw: bytes

    def fault(self, text: str) -> InputError:
        """An error that names this line."""
        return InputError(self.path, text, line=self.number)

    @property
    def text(self) -> str:
        """The line as text; raises InputError where it is not UTF-8."""
        try:
            return self.raw.decode()
        except UnicodeDecodeError as error:
            raise self.fault(f"not UTF-8: {error.reason} at byte {error.start} of the line") from None

    def fields(self, columns: int) -> list[str]:
        """The fields between tabs; raises InputError where there are not `columns` of them."""
        found = self.text.split("\t")
        if len(found) != columns:
            raise self.fault(f"expected {columns} columns between tabs, found {len(found)}: {self.text[:60]!r}")
        return found

    def record(self) -> dict[str, Any]:
        """The JSON object of the line; raises InputError where it is none, or an object has a key twice."""
        text = self.text
        try:
            value = json.loads(text, object_pairs_hook=_distinct)
        except json.JSONDecodeError as error:
            what = "not JSON" if self.raw.strip() else "an empty line"
            raise self.fault(f"{what}: {error.msg} (column {error.colno})") from None
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in brackets
            raise self.fault(f"not usable JSON: {error}") from None
        if not isinstance(value, dict):
            raise self.fault(f"a line is one JSON object, this is {type(value).__name__}")
        return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice in one object")
    return record


def read_records(path: Path) -> Iterator[tuple[Line, dict[str, Any]]]:
    """The lines of a file of JSON lines, each with its object; raises InputError as `read_lines` and `Line.record`."""
    for line in read_lines(path):
        yield line, line.record()


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file, one after the other, never the whole file; a `.gz` file is decompressed on the way.

    A byte order mark at the beginning of the file is left out.

    Raises:
        InputError: the file cannot be read, or is damaged (names the line up to which it could be read).
    """
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(iter(partial(file.readline, LONGEST + 1), b""), start=1):
                if len(raw) > LONGEST:
                    raise InputError(path, f"a line of more than {LONGEST:,} bytes", line=number)
                text = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
                yield Line(path, number, text.rstrip(b"\r\n"))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        place = " after this line" if number else ""
        raise InputError(path, f"the compressed file is damaged{place}: {error}", line=number or None) from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
