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
