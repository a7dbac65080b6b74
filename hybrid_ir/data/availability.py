"""Which texts of a table exist in which languages, compactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hybrid_ir.data.storage import text_column

_CHUNK = 2**20  # rows handled at a time where an intermediate is wider than the result


@dataclass(frozen=True)
class Availability:
    """Languages of every text of a table.

    Attributes:
        masks: uint64 (P,), the distinct sets of languages; bit b stands for language b.
        codes: unsigned integer (N,), position in `masks` of each text's set; None where there is one set only.
    """

    masks: NDArray[np.uint64]
    codes: NDArray[np.unsignedinteger] | None

    @classmethod
    def of(cls, table: pa.Table, languages: Sequence[str]) -> "Availability":
        """Read from the null bitmaps; the texts themselves are not touched."""
        numbers: dict[int, int] = {}
        codes = [np.empty(0, dtype=np.uint32)]
        for batch in table.to_batches():
            mask = np.zeros(batch.num_rows, dtype=np.uint64)
            for bit, language in enumerate(languages):
                present = batch.column(text_column(language)).is_valid().to_numpy(zero_copy_only=False)
                mask |= present.astype(np.uint64) << np.uint64(bit)
            distinct, inverse = np.unique(mask, return_inverse=True)
            numbering = [numbers.setdefault(value, len(numbers)) for value in distinct.tolist()]
            codes.append(np.asarray(numbering, dtype=np.uint32)[inverse])
        masks = np.asarray(list(numbers), dtype=np.uint64)
        return cls(masks, _compact(np.concatenate(codes), len(masks)))

    def restricted(self, bits: Sequence[int]) -> "Availability":
        """The same texts, of which only some languages count: bit b of the result is bit `bits[b]` of this."""
        masks = np.zeros_like(self.masks)
        for bit, source in enumerate(bits):
            masks |= (self.masks >> np.uint64(source) & np.uint64(1)) << np.uint64(bit)
        distinct, inverse = np.unique(masks, return_inverse=True)
        codes = None if self.codes is None else inverse.astype(self.codes.dtype)[self.codes]
        return Availability(distinct, _compact(codes, len(distinct)))

    def has(self, rows: NDArray[np.integer], bits: NDArray[np.integer]) -> NDArray[np.bool_]:
        """bool (B,): whether text `rows[i]` exists in language `bits[i]`."""
        masks: NDArray[np.uint64] = self.masks[self._codes_of(rows)]
        return np.asarray(masks >> bits.astype(np.uint64) & np.uint64(1), dtype=bool)

    def _codes_of(self, rows: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
        return np.zeros(len(rows), dtype=np.uint8) if self.codes is None else self.codes[rows]

    def paired(
        self, other: "Availability", rows: NDArray[np.integer], other_rows: NDArray[np.integer]
    ) -> tuple[NDArray[np.uint64], NDArray[np.unsignedinteger] | None]:
        """Distinct pairs of sets among the pairs of texts (rows[i], other_rows[i]).

        Returns:
            uint64 (Q, 2), the distinct pairs, and the number of each pair of texts among them (None where Q is 1).
        """
        if self.codes is None and other.codes is None:
            return np.stack([self.masks, other.masks], axis=1), None
        width = len(other.masks)
        keys = np.empty(len(rows), dtype=np.min_scalar_type(len(self.masks) * width))
        for chunk in _chunks(len(rows)):
            keys[chunk] = self._codes_of(rows[chunk]).astype(keys.dtype) * width + other._codes_of(other_rows[chunk])
        distinct = np.unique(keys)
        codes = np.empty(len(rows), dtype=np.min_scalar_type(len(distinct)))
        for chunk in _chunks(len(rows)):
            codes[chunk] = np.searchsorted(distinct, keys[chunk])
        patterns = np.stack([self.masks[distinct // width], other.masks[distinct % width]], axis=1)
        return patterns, _compact(codes, len(distinct))


def _compact(codes: NDArray[np.unsignedinteger] | None, count: int) -> NDArray[np.unsignedinteger] | None:
    """The codes in the smallest type that holds `count` of them; None where they say nothing."""
    if codes is None or count <= 1:
        return None
    return codes.astype(np.min_scalar_type(count - 1))


def _chunks(size: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, size, _CHUNK)]
