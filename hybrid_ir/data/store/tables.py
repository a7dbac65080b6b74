"""The files of a corpus, opened, and how texts are picked from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store import storage
from hybrid_ir.data.store.availability import Availability
from hybrid_ir.data.store.mapped import MappedTable
from hybrid_ir.data.store.storage import text_column
from hybrid_ir.sources.records import ParallelText


@dataclass(frozen=True)
class CorpusTables:
    """The files of a corpus, opened; shared by all its views. Pickles as paths, the texts stay on disk."""

    folder: Path
    manifest: storage.Manifest
    questions: MappedTable
    passages: MappedTable
    examples: MappedTable

    @cached_property
    def availability(self) -> Availability:
        return storage.read_availability(self.folder)

    def unmapped(self) -> "CorpusTables":
        tables = (self.questions.unmapped(), self.passages.unmapped(), self.examples.unmapped())
        return CorpusTables(self.folder, self.manifest, *tables)


def texts_in(table: MappedTable, rows: NDArray[np.integer], languages: Sequence[str]) -> list[str]:
    """The text of each row in `languages[i]`. Corpora hold no empty text, so an empty one is absent."""
    assert len(rows) == len(languages), f"{len(languages)} languages for {len(rows)} texts"
    texts = table.strings(text_columns(languages), rows)
    if not all(texts):
        absent = texts.index("")
        (key,) = table.strings(["id"], rows[absent : absent + 1])
        raise AssertionError(f"{key} has no text in {languages[absent]}")
    return texts


def text_columns(languages: Sequence[str]) -> list[str]:
    """The column that holds the texts of each language."""
    names = {language: storage.text_column(language) for language in set(languages)}
    return [names[language] for language in languages]


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


@dataclass(frozen=True)
class PairTexts:
    """The texts of one batch of B pairs, without prefixes.

    Groups number identical content within one corpus: equal numbers mean that the one is no negative of the other.

    Attributes:
        questions: B texts.
        passages: B texts.
        negatives: for each pair its hard negatives, most confusing first; may be ragged.
        question_groups: int64 (B,).
        passage_groups: int64 (B,).
        negative_groups: for each pair the groups of its hard negatives.
    """

    questions: list[str]
    passages: list[str]
    negatives: list[list[str]]
    question_groups: NDArray[np.int64]
    passage_groups: NDArray[np.int64]
    negative_groups: list[list[int]]
