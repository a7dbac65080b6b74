"""One side of a corpus: its distinct questions, or its distinct passages, by row."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store.mapped import MappedTable
from hybrid_ir.data.store.storage import text_column
from hybrid_ir.sources.records import ParallelText


@dataclass(frozen=True)
class Contents:
    """Texts on disk, read when they are asked for.

    Attributes:
        table: a column of texts for each language, ids and groups.
        languages: those that the table has columns for.
    """

    table: MappedTable
    languages: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the texts lie."""
        return (self.table.path,)

    @property
    def groups(self) -> NDArray[np.int64]:
        """int64 (N,): rows with one number are the same content."""
        groups: NDArray[np.int64] = self.table.column("group")
        return groups

    def presence(self, language: str) -> NDArray[np.bool_]:
        """bool (N,): which rows have a text in a language; the texts themselves are not read."""
        column = text_column(language)
        parts = [batch[column].is_valid().to_numpy(zero_copy_only=False) for batch in self.table.batches()]
        return np.concatenate([np.empty(0, dtype=np.bool_), *parts])

    def texts_in(self, language: str, rows: NDArray[np.integer]) -> list[str]:
        """The texts of `rows` in a language that all of them have."""
        return self.table.strings([text_column(language)] * len(rows), np.asarray(rows))

    def texts(self, rows: NDArray[np.integer]) -> list[ParallelText]:
        """The contents at `rows` in all the languages they have."""
        rows = np.asarray(rows, dtype=np.int64)
        keys = self.table.strings(["id"] * len(rows), rows)
        columns = {language: self.texts_in(language, rows) for language in self.languages}  # empty where there is none
        return [
            ParallelText(key, {code: texts[row] for code, texts in columns.items() if texts[row]})
            for row, key in enumerate(keys)
        ]
