"""Availability index: the languages in which each example has its question and its passage."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store.mapped import MappedTable

PATTERNS, CODES = "patterns.npy", "codes.npy"
_CHUNK = 2**20  # rows handled at a time, since intermediate arrays are wider than the result


@dataclass(frozen=True)
class Availability:
    """Languages of both sides of every example, computed when a corpus is built and stored with it.

    Attributes:
        patterns: uint64 (P, 2), the distinct combinations in ascending order: column 0 has the question's languages,
            column 1 the passage's; bit b stands for language b.
        codes: unsigned integer (N,), the pattern of each example; None if there is only one pattern.
    """

    patterns: NDArray[np.uint64]
    codes: NDArray[np.unsignedinteger] | None

    @classmethod
    def of(
        cls, examples: MappedTable, questions: MappedTable, passages: MappedTable, columns: Sequence[str]
    ) -> "Availability":
        """Build the index from the null bitmaps of the text `columns`, one per language, without reading the texts."""
        asked, answered = _masks(questions, columns), _masks(passages, columns)
        width = len(answered.distinct)
        keys = np.empty(len(examples), dtype=np.min_scalar_type(len(asked.distinct) * width))
        start = 0
        for batch in examples.batches():
            question, passage = (batch[side].to_numpy() for side in ("question", "passage"))
            codes = asked.codes[question].astype(keys.dtype) * width + answered.codes[passage]
            keys[start : start + len(codes)] = codes
            start += len(codes)
        distinct, codes = _renumber(keys)
        patterns = np.stack([asked.distinct[distinct // width], answered.distinct[distinct % width]], axis=1)
        return cls(patterns, codes)

    def save(self, folder: Path) -> None:
        np.save(folder / PATTERNS, self.patterns)
        if self.codes is not None:
            np.save(folder / CODES, self.codes)

    @classmethod
    def load(cls, folder: Path) -> "Availability":
        """Open a stored index. The codes are memory-mapped.

        Raises:
            OSError, ValueError: a file is missing or damaged.
        """
        patterns: NDArray[np.uint64] = np.load(folder / PATTERNS, allow_pickle=False)
        if patterns.dtype != np.uint64 or patterns.ndim != 2 or patterns.shape[1] != 2:
            raise ValueError(f"{PATTERNS} holds {patterns.dtype} {patterns.shape}")
        codes = np.load(folder / CODES, mmap_mode="r", allow_pickle=False) if len(patterns) > 1 else None
        if codes is not None and (codes.dtype.kind != "u" or codes.ndim != 1):
            raise ValueError(f"{CODES} holds {codes.dtype} {codes.shape}")
        return cls(patterns, codes)

    def restricted(self, bits: Sequence[int], rows: NDArray[np.integer] | None = None) -> "Availability":
        """The index of the examples at `rows` (all by default), restricted to some languages.

        Args:
            bits: bit b of the result is bit `bits[b]` of this index.
            rows: positions of the examples.
        """
        masks = np.zeros_like(self.patterns)
        for bit, source in enumerate(bits):
            masks |= (self.patterns >> np.uint64(source) & np.uint64(1)) << np.uint64(bit)
        codes = self.codes if rows is None or self.codes is None else self.codes[rows]
        if codes is None:
            return Availability(masks, None)
        if np.array_equal(masks, self.patterns) and rows is None:
            return self
        distinct, merged = np.unique(masks, axis=0, return_inverse=True)
        used, codes = _renumber(codes, merged.reshape(-1).astype(np.min_scalar_type(len(distinct))))
        return Availability(distinct[used], codes)


@dataclass(frozen=True)
class _Masks:
    """Languages of the texts of a table: the `distinct` language sets, ascending, and the code of each text's set."""

    distinct: NDArray[np.uint64]
    codes: NDArray[np.unsignedinteger]


def _masks(table: MappedTable, columns: Sequence[str]) -> _Masks:
    numbers: dict[int, int] = {}
    parts = [np.empty(0, dtype=np.uint32)]
    for batch in table.batches():
        mask = np.zeros(batch.num_rows, dtype=np.uint64)
        for bit, column in enumerate(columns):
            mask |= batch[column].is_valid().to_numpy(zero_copy_only=False).astype(np.uint64) << np.uint64(bit)
        distinct, inverse = np.unique(mask, return_inverse=True)
        numbering = [numbers.setdefault(value, len(numbers)) for value in distinct.tolist()]
        parts.append(np.asarray(numbering, dtype=np.uint32)[inverse])
    found = np.asarray(list(numbers), dtype=np.uint64)
    order = np.argsort(found)
    rank = np.empty(len(found), dtype=np.min_scalar_type(len(found)))
    rank[order] = np.arange(len(found))
    return _Masks(found[order], rank[np.concatenate(parts)])


def _renumber(
    values: NDArray[np.unsignedinteger], meaning: NDArray[np.unsignedinteger] | None = None
) -> tuple[NDArray[np.integer], NDArray[np.unsignedinteger] | None]:
    """The distinct values, ascending, and the position of each value among them, in the smallest integer type.

    Args:
        values: uint (N,).
        meaning: optional lookup table: use `meaning[value]` instead of each value.

    Returns:
        The distinct values and the positions; None instead of the positions if there is only one value.
    """
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(values), _CHUNK)]
    parts = [values[:0], *(np.unique(values[chunk]) for chunk in chunks)]
    distinct = np.unique(np.concatenate(parts))
    if meaning is not None:
        distinct = np.unique(meaning[distinct])
    if len(distinct) <= 1:
        return distinct, None
    codes = np.empty(len(values), dtype=np.min_scalar_type(len(distinct) - 1))
    for chunk in chunks:
        kept = values[chunk] if meaning is None else meaning[values[chunk]]
        codes[chunk] = np.searchsorted(distinct, kept)
    return distinct, codes
