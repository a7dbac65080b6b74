"""Large tab-separated files: integer tables, and texts looked up by id without loading the file."""

import mmap
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sources.errors import InputError, text_fault


def read_integers(path: Path, columns: int) -> NDArray[np.int32]:
    """Read a file with `columns` integers per line, as int32 (lines, columns).

    Raises:
        InputError: a line has the wrong number of fields, or a field that is not a 32-bit integer.
    """
    values = array("i")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            fields = line.split(b"\t")
            try:
                values.extend(map(int, fields))
                well_formed = len(fields) == columns
            except (ValueError, OverflowError):
                well_formed = False
            if not well_formed:
                raise InputError(path, f"expected {columns} tab-separated integers, found {line[:60]!r}", line=number)
    return np.frombuffer(values, dtype=np.int32).reshape(-1, columns)


class TextsById:
    """Random access to the texts of selected ids in a file of lines `id TAB text`, in any order.

    Opening scans the file once for the offsets of its lines; texts are then read on demand. Memory: about 32 bytes per
    line of the file while opening, then 17 bytes per wanted id.

    Args:
        path: the file.
        wanted: int64 (N,), distinct ids to look up.

    Raises:
        InputError: a line does not start with an integer and a tab, or an id occurs twice.
    """

    def __init__(self, path: Path, wanted: NDArray[np.int64]) -> None:
        self.path = path
        ids, starts = self._index()
        order = np.argsort(ids, kind="stable")
        twice = np.flatnonzero(ids[order[1:]] == ids[order[:-1]])
        if len(twice):
            first, second = order[twice[0] : twice[0] + 2] + 1
            raise InputError(path, f"id {ids[second - 1]} was used before, in line {first}", line=int(second))
        position = np.searchsorted(ids, wanted, sorter=order)
        line = order[np.minimum(position, len(ids) - 1)]
        self.present: NDArray[np.bool_] = ids[line] == wanted
        """bool (N,): whether the file has each wanted id."""
        self._line, self._start = line, starts[line]
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, rows: slice) -> list[str | None]:
        """Texts of `wanted[rows]`, None for ids that the file lacks. Raises InputError for an unusable text."""
        here = zip(self.present[rows].tolist(), self._line[rows].tolist(), self._start[rows].tolist(), strict=True)
        return [self._text(line, start) if present else None for present, line, start in here]

    def _index(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        ids, starts, position = array("q"), array("q"), 0
        with self.path.open("rb") as file:
            for line in file:
                try:
                    ids.append(int(line[: line.index(b"\t")]))
                except (ValueError, OverflowError) as error:
                    fault = f"expected an integer, a tab and a text, found {line[:60]!r}"
                    raise InputError(self.path, fault, line=len(ids) + 1) from error
                starts.append(position)
                position += len(line)
        if not ids:
            raise InputError(self.path, "the file is empty")
        return np.frombuffer(ids, dtype=np.int64), np.frombuffer(starts, dtype=np.int64)

    def _text(self, line: int, start: int) -> str:
        end = self._bytes.find(b"\n", start)
        raw = self._bytes[start : end if end >= 0 else len(self._bytes)].rstrip(b"\r")
        try:
            _, text = raw.decode().split("\t")
        except UnicodeDecodeError as error:
            raise InputError(self.path, f"not UTF-8: {error.reason}", line=line + 1) from error
        except ValueError as error:
            raise InputError(
                self.path, "expected one tab, between id and text, found several", line=line + 1
            ) from error
        if fault := text_fault(text):
            raise InputError(self.path, f"the text {fault}", line=line + 1)
        return text
