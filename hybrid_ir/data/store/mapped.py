"""Memory-mapped Arrow table with fast random access: the cost depends on the rows read, not on the file."""

import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hybrid_ir.sources.arrow_check import check_batches

_OFFSETS, _VALUES, _STRINGS, _ITEMS = 1, 1, 2, 3  # buffers of an Arrow array: a column's numbers, a list's items, ...


class MappedTable:
    """Rows of an Arrow stream, read directly from the mapped file without creating Arrow objects.

    Slicing a record batch for every row of a training batch costs more than reading the row: a corpus of 40 million
    examples has ten thousand record batches, and the rows of a training batch are spread over a thousand of them. This
    class knows the offsets of all buffers, so reading a column of a training batch is one indexing operation.

    Memory holds the description of the record batches, about half a kilobyte per batch and column. The pages of the
    file are managed by the kernel and shared by all processes of a machine. Pickles as a path.

    `unmapped` reads the same rows by system calls. Mapped pages count as resident memory of the process, and random
    access maps the whole file in the end. A system call takes several times as long but leaves nothing in memory.

    Args:
        path: an Arrow stream of uncompressed columns: numbers without nulls, strings in which a null is as long as an
            empty string, and lists of numbers without nulls.
        mapped: whether to read rows through the memory map.
        checked: whether the file's offsets were already checked, by this process or the one that pickled the table.

    Raises:
        OSError, ValueError: the file is missing, empty or damaged, or has offsets outside its buffers.
    """

    def __init__(self, path: str | Path, mapped: bool = True, checked: bool = False) -> None:
        self.path, self.mapped = Path(path), mapped
        self._file = self.path.open("rb", buffering=0)
        self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        with pa.ipc.open_stream(pa.py_buffer(self._bytes)) as reader:
            self.schema, self._batches = reader.schema, list(reader)
        if not checked:
            check_batches(self._batches)
        # Reading the descriptions also mapped the pages around them, about a quarter of the file.
        self._bytes.madvise(mmap.MADV_DONTNEED)
        self._base = pa.py_buffer(self._bytes).address
        sizes = np.asarray([batch.num_rows for batch in self._batches], dtype=np.int64)
        self._ends = np.cumsum(sizes)
        self._begins = self._ends - sizes
        self._buffer_starts: dict[tuple[str, int], NDArray[np.int64]] = {}

    def __reduce__(self) -> tuple[type["MappedTable"], tuple[Path, bool, bool]]:
        return MappedTable, (self.path, self.mapped, True)

    def unmapped(self) -> "MappedTable":
        """The same table, with rows read by system calls."""
        return MappedTable(self.path, mapped=False, checked=True)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The whole table in order, one record batch at a time."""
        return iter(self._batches)

    def column(self, name: str) -> NDArray:
        """A copy of all numbers of a column."""
        arrays = [batch[name].to_numpy() for batch in self._batches]
        return np.concatenate(arrays or [np.empty(0, dtype=self._dtype(name))])

    def numbers(self, name: str, rows: NDArray[np.integer]) -> NDArray:
        """The numbers of column `name` at `rows`, of the column's type."""
        chunk, position = self._locate(rows)
        dtype = self._dtype(name)
        return self._numbers(dtype, self._starts(name, _VALUES)[chunk] + position * dtype.itemsize)[:, 0]

    def strings(self, names: Sequence[str], rows: NDArray[np.integer]) -> list[str]:
        """The string of each row in column `names[i]`; empty if there is none."""
        begins, ends = self._spans(names, rows)
        spans = zip(begins.tolist(), ends.tolist(), strict=True)
        if self.mapped:
            return [self._bytes[begin:end].decode() for begin, end in spans]
        return [self._read(begin, end - begin).decode() for begin, end in spans]

    def present(self, names: Sequence[str], rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """bool (B,): whether each row has a string in column `names[i]`, found without reading it."""
        begins, ends = self._spans(names, rows)
        return np.asarray(ends > begins)

    def lists(self, name: str, rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray]:
        """The lists of column `name` at `rows`: their lengths, and the concatenation of their items."""
        chunk, position = self._locate(rows)
        begins, ends = self._offsets(self._starts(name, _OFFSETS)[chunk], position)
        lengths = ends - begins
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        dtype = self._dtype(name)
        items = np.repeat(self._starts(name, _ITEMS)[chunk] + begins * dtype.itemsize, lengths)
        return lengths, self._numbers(dtype, items + within * dtype.itemsize)[:, 0]

    def _spans(self, names: Sequence[str], rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """File offsets at which the strings begin and end."""
        chunk, position = self._locate(rows)
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        if not numbers:
            return chunk, chunk
        column = np.asarray([numbers[name] for name in names])
        offsets, strings = (
            np.stack([self._starts(name, buffer) for name in numbers])[column, chunk] for buffer in (_OFFSETS, _STRINGS)
        )
        begins, ends = self._offsets(offsets, position)
        return strings + begins, strings + ends

    def _offsets(self, starts: NDArray[np.int64], position: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Begin and end of strings or lists, read from the offset buffers that start at `starts`."""
        word = np.dtype(np.int32)
        found = self._numbers(word, starts + position * word.itemsize, 2).astype(np.int64)
        return found[:, 0], found[:, 1]

    def _locate(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The record batch of each row, and the row's position in it."""
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise ValueError(
                f"{self.path} or a file that refers to it is damaged: row {rows.max()} of {len(self)} rows"
            )
        chunk = np.searchsorted(self._ends, rows, side="right")
        return chunk, rows - self._begins[chunk]

    def _starts(self, name: str, buffer: int) -> NDArray[np.int64]:
        """int64 (record batches,): file offset of a buffer of column `name` in each record batch."""
        if (name, buffer) not in self._buffer_starts:
            number = self.schema.get_field_index(name)
            buffers = [batch.column(number).buffers()[buffer] for batch in self._batches]
            addresses = [part.address - self._base if part is not None and part.size else 0 for part in buffers]
            positions = np.asarray(addresses, dtype=np.int64)
            if len(positions) and (positions.min() < 0 or positions.max() > len(self._bytes)):
                raise ValueError(f"{self.path}: column {name} is compressed; the columns of a corpus must not be")
            self._buffer_starts[name, buffer] = positions
        return self._buffer_starts[name, buffer]

    def _dtype(self, name: str) -> np.dtype:
        kind = self.schema.field(name).type
        dtype: np.dtype = np.dtype((kind.value_type if pa.types.is_list(kind) else kind).to_pandas_dtype())
        return dtype

    def _numbers(self, dtype: np.dtype, offsets: NDArray[np.int64], count: int = 1) -> NDArray:
        """(B, count) consecutive numbers from each file offset; Arrow aligns buffers to eight bytes."""
        if self.mapped:
            whole = np.frombuffer(self._bytes, dtype=dtype, count=len(self._bytes) // dtype.itemsize)
            found: NDArray = whole[(offsets // dtype.itemsize)[:, None] + np.arange(count)]
            return found
        size = count * dtype.itemsize
        return np.frombuffer(b"".join(self._read(offset, size) for offset in offsets.tolist()), dtype).reshape(
            -1, count
        )

    def _read(self, offset: int, size: int) -> bytes:
        found = os.pread(self._file.fileno(), size, offset)
        assert len(found) == size, f"{self.path} was truncated while open"
        return found
