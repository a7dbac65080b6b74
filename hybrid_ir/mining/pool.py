"""The pool of passages that mining searches: passages of a corpus, numbered across languages."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store.tables import Contents
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.hub.fetch import sha256_of

DIGITS = 12  # of a zero-padded id, so that ids sort like numbers


@dataclass(frozen=True)
class PassageCorpus(Corpus):
    """The passages of a parallel corpus in one language, in the form that `VectorStore` encodes.

    Attributes:
        contents: the passages in all languages; the id of a passage is its row.
    """

    contents: Contents

    @classmethod
    def of(cls, contents: Contents, language: str) -> "PassageCorpus":
        """The passages that exist in `language`."""
        return cls(language, contents.files, lambda line: (to_id(line.number), line.text), contents)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the file with the texts; each language has its own folder of vectors."""
        return " ".join(sha256_of(path) for path in self.files)

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """At most `size` passages at a time; the number of a line is the row of the passage."""
        rows = np.flatnonzero(self.contents.presence(self.language))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            texts = self.contents.texts_in(self.language, part)
            yield [Line(self.files[0], row, text.encode()) for row, text in zip(part.tolist(), texts, strict=True)]


@dataclass(frozen=True)
class Pool:
    """Passages of one corpus in some of its languages.

    A passage's number is `language * rows + row`, where `language` is a position in `languages`. Among equal scores the
    larger number ranks higher, as the evaluation ranks ids.

    Attributes:
        contents: the passages in all languages.
        languages: the languages to search.
    """

    contents: Contents
    languages: tuple[str, ...]

    @property
    def corpora(self) -> list[PassageCorpus]:
        """The pool's passages by language."""
        return [PassageCorpus.of(self.contents, language) for language in self.languages]

    def numbers(self, language: int, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers of the passages at `rows` in one language."""
        return np.asarray(language * len(self.contents) + rows.astype(np.int64))

    def positions(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Languages and rows of the passages with these numbers."""
        return np.divmod(numbers, len(self.contents))


def to_id(number: int) -> str:
    """The passage id of a number; ids sort like their numbers."""
    return f"{number:0{DIGITS}d}"


def from_ids(ids: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """The numbers of passage ids."""
    return ids.astype(np.int64)
