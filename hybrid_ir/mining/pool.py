"""What is searched: the passages of a corpus, each with a number that is its id in rankings."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store.tables import Contents
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.hub.fetch import sha256_of

DIGITS = 12  # of an id, so that ids sort as rows do


@dataclass(frozen=True)
class PassageCorpus(Corpus):
    """The passages of a parallel corpus in one language, as the engine of large evaluations takes them.

    Attributes:
        contents: the passages in all languages; a passage's id is its row there.
    """

    contents: Contents

    @classmethod
    def of(cls, contents: Contents, language: str) -> "PassageCorpus":
        """The passages that there are in `language`."""
        return cls(language, contents.files, lambda line: (to_id(line.number), line.text), contents)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the texts' file; the language has a folder of its own."""
        return " ".join(sha256_of(path) for path in self.files)

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """At most `size` passages at a time; a line's number is the row."""
        rows = np.flatnonzero(self.contents.presence(self.language))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            texts = self.contents.texts_in(self.language, part)
            yield [Line(self.files[0], row, text.encode()) for row, text in zip(part.tolist(), texts, strict=True)]


@dataclass(frozen=True)
class Pool:
    """Passages of one corpus in some of its languages.

    A passage's number is `language * rows + row`, with `language` counted in `languages`. Of equal scores the greater
    number is the better one, which is the evaluation's rule for ids.

    Attributes:
        contents: the passages in all languages.
        languages: the languages to search.
    """

    contents: Contents
    languages: tuple[str, ...]

    @property
    def corpora(self) -> list[PassageCorpus]:
        """One for each language."""
        return [PassageCorpus.of(self.contents, language) for language in self.languages]

    def numbers(self, language: int, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """The numbers of passages of one language."""
        return np.asarray(language * len(self.contents) + rows.astype(np.int64))

    def places(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(language, row) of passages."""
        return np.divmod(numbers, len(self.contents))


def to_id(number: int) -> str:
    """A passage id; ids sort as their numbers do."""
    return f"{number:0{DIGITS}d}"


def from_ids(ids: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """The numbers of passage ids."""
    return ids.astype(np.int64)
