"""Texts in a large tab-separated file, looked up by id without holding them in memory."""

import mmap
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sources.errors import InputError, text_fault


def read_integers(path: Path, columns: int) -> NDArray[np.int32]:
    """A file of integers, `columns` in each line, as int32 (lines, columns).

    Raises:
        InputError: a line has another number of fields or something that is no integer of 32 bits.
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
                raise InputError(path, f"expected {columns} integers between tabs, found {line[:60]!r}", line=number)
    return np.frombuffer(values, dtype=np.int32).reshape(-1, columns)


class TextsById:
    """The texts of some ids in a file of lines `id TAB text`, in any order.

    Opening reads the file once, for the offsets of its lines; texts are then read where they are. Memory: about 32
    bytes a line of the file while opening, 17 bytes a wanted id after that.

    Args:
        path: the file.
        wanted: int64 (N,), distinct ids.

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
        place = np.searchsorted(ids, wanted, sorter=order)
        line = order[np.minimum(place, len(ids) - 1)]
        self.present: NDArray[np.bool_] = ids[line] == wanted
        """bool (N,): which of the wanted ids the file has."""
        self._line, self._start = line, starts[line]
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, rows: slice) -> list[str | None]:
        """Texts of `wanted[rows]`, None where the file does not have the id; raises InputError for unusable text."""
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
            raise InputError(self.path, "expected one tab, between id and text, found more", line=line + 1) from error
        if fault := text_fault(text):
            raise InputError(self.path, f"the text {fault}", line=line + 1)
        return text
