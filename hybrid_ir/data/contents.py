"""One side of a corpus: its distinct questions, or its distinct passages, by row."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.storage import text_column
from hybrid_ir.sources.records import ParallelText

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class Contents:
    """Texts on disk, read when they are asked for.

    Attributes:
        table: a column of texts for each language, ids and groups.
        languages: those that the table has columns for.
    """

    table: "Dataset"
    languages: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the texts lie."""
        return tuple(Path(part["filename"]) for part in self.table.cache_files)

    @property
    def groups(self) -> NDArray[np.int64]:
        """int64 (N,): rows with one number are the same content."""
        groups: NDArray[np.int64] = self.table.data.table["group"].to_numpy()
        return groups

    def presence(self, language: str) -> NDArray[np.bool_]:
        """bool (N,): which rows have a text in a language; the texts themselves are not read."""
        present: NDArray[np.bool_] = self.table.data.table[text_column(language)].is_valid().to_numpy()
        return present

    def texts_in(self, language: str, rows: NDArray[np.integer]) -> list[str]:
        """The texts of `rows` in a language that all of them have."""
        texts: list[str] = self.table[np.asarray(rows)][text_column(language)].to_pylist()
        return texts

    def texts(self, rows: NDArray[np.integer]) -> list[ParallelText]:
        """The contents at `rows` in all the languages they have."""
        found = self.table[np.asarray(rows)]
        columns = {language: found[text_column(language)].to_pylist() for language in self.languages}
        return [
            ParallelText(key, {code: texts[row] for code, texts in columns.items() if texts[row] is not None})
            for row, key in enumerate(found["id"].to_pylist())
        ]
