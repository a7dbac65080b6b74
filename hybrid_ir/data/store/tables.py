"""Open tables of a corpus: its files, the contents of one side, and the texts of a batch of pairs."""

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
    """The open files of a corpus, shared by all its views. They pickle as paths; the texts stay on disk."""

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
    """The text of each row in `languages[i]`, which must exist. Corpora have no empty texts: empty means absent."""
    assert len(rows) == len(languages), f"{len(languages)} languages for {len(rows)} texts"
    texts = table.strings(text_columns(languages), rows)
    if not all(texts):
        absent = texts.index("")
        (key,) = table.strings(["id"], rows[absent : absent + 1])
        raise AssertionError(f"{key} has no text in {languages[absent]}")
    return texts


def text_columns(languages: Sequence[str]) -> list[str]:
    """The name of the text column of each language."""
    names = {language: storage.text_column(language) for language in set(languages)}
    return [names[language] for language in languages]


@dataclass(frozen=True)
class Contents:
    """The distinct questions or the distinct passages of a corpus, by row. Texts are read on demand.

    Attributes:
        table: ids, content groups, and a column of texts for each language.
        languages: the languages that the table has columns for.
    """

    table: MappedTable
    languages: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files with the texts."""
        return (self.table.path,)

    @property
    def groups(self) -> NDArray[np.int64]:
        """int64 (N,): content groups; rows with equal numbers have the same content."""
        groups: NDArray[np.int64] = self.table.column("group")
        return groups

    def presence(self, language: str) -> NDArray[np.bool_]:
        """bool (N,): whether each row has a text in a language, found without reading the texts."""
        column = text_column(language)
        parts = [batch[column].is_valid().to_numpy(zero_copy_only=False) for batch in self.table.batches()]
        return np.concatenate([np.empty(0, dtype=np.bool_), *parts])

    def texts_in(self, language: str, rows: NDArray[np.integer]) -> list[str]:
        """The texts of `rows` in a language; empty strings if there is none."""
        return self.table.strings([text_column(language)] * len(rows), np.asarray(rows))

    def texts(self, rows: NDArray[np.integer]) -> list[ParallelText]:
        """The parallel texts at `rows`, in all their languages."""
        rows = np.asarray(rows, dtype=np.int64)
        keys = self.table.strings(["id"] * len(rows), rows)
        columns = {language: self.texts_in(language, rows) for language in self.languages}  # empty if there is none
        return [
            ParallelText(key, {code: texts[row] for code, texts in columns.items() if texts[row]})
            for row, key in enumerate(keys)
        ]


@dataclass(frozen=True)
class PairTexts:
    """The texts of one batch of B pairs, without prefixes.

    Content groups number identical content within one corpus: texts with equal numbers are not negatives of each other.

    Attributes:
        questions: B questions.
        passages: B passages.
        negatives: hard negatives of each pair, most confusing first; pairs may have different numbers of them.
        question_groups: int64 (B,), content groups of the questions.
        passage_groups: int64 (B,), content groups of the passages.
        negative_groups: content groups of the hard negatives of each pair.
    """

    questions: list[str]
    passages: list[str]
    negatives: list[list[str]]
    question_groups: NDArray[np.int64]
    passage_groups: NDArray[np.int64]
    negative_groups: list[list[int]]
