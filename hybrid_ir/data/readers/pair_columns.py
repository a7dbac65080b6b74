"""Question-passage pairs from the rows of a table: which columns hold what, and which part of a long text answers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hybrid_ir.sources.errors import text_fault
from hybrid_ir.sources.formats.beir import with_title
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.sentences import sentences_around
from hybrid_ir.sources.formats.squad_file import FilePosition

Position = Line | FilePosition


class TextPair(NamedTuple):
    """A question, a passage that answers it, and passages that do not."""

    question: str
    passage: str
    hard_negatives: tuple[str, ...]


@dataclass(frozen=True)
class PairColumns:
    """A map of columns; see `hybrid_ir.data.readers.pair_table.read` for their meaning."""

    question: str
    passage: str
    language: str
    nested: str | None = None
    answers: str | None = None
    starts: str | None = None
    window: int = 100
    hard_negatives: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns of the table."""
        if self.nested is not None:
            return [self.nested]
        starts = None if self.starts is None else self.starts.split(".")[0]
        names = [self.question, self.passage, self.answers, starts, self.hard_negatives]
        return list(dict.fromkeys(name for name in names if name is not None))

    def rows(self, position: Position, record: Mapping[str, Any]) -> list[Any]:
        """The rows inside a row of the table. Raises InputError if the nested column holds no list."""
        if self.nested is None:
            return [record]
        rows = record.get(self.nested)
        if not isinstance(rows, list):
            raise position.fault(f"{self.nested!r} must be a list of rows, got {rows!r:.40}")
        return rows

    def pairs(self, position: Position, row: Any) -> Iterator[TextPair]:
        """The pairs of a row, one for each passage.

        Raises:
            InputError: there is no question or passage, a text is empty or damaged, or the passage has no answer.
        """
        if not isinstance(row, Mapping):
            raise position.fault(f"a row in {self.nested!r} must be an object, got {row!r:.40}")
        (question,) = _texts(position, self.question, [row.get(self.question)])
        passages = _texts(position, self.passage, row.get(self.passage))
        if not passages:
            raise position.fault(f"{self.passage!r} is empty")
        negatives = (
            _texts(position, self.hard_negatives, row.get(self.hard_negatives) or []) if self.hard_negatives else []
        )
        for passage in passages:
            yield TextPair(question, self._around_answer(position, row, passage), tuple(negatives))

    def _around_answer(self, position: Position, row: Mapping[str, Any], text: str) -> str:
        if self.answers is None:
            return text
        given = row.get(self.answers)
        answers = [str(answer) for answer in (given if isinstance(given, list) else [given]) if not text_fault(answer)]
        start = next(self._occurrences(row, text, answers), None)
        if start is None:
            found = f"none of the answers {answers!r:.80} is in" if answers else f"{self.answers!r} has no answer for"
            raise position.fault(f"{found} {self.passage!r}")
        return sentences_around(text, start, self.language, self.window)

    def _occurrences(self, row: Mapping[str, Any], text: str, answers: Sequence[str]) -> Iterator[int]:
        """Offsets of answers in the text: those that the row names, then the first ones of each answer."""
        if self.starts is not None:
            offsets = _integers(row, self.starts.split("."))
            yield from (at for at in offsets if 0 <= at < len(text) and text.startswith(tuple(answers), at))
        for answer in answers:
            if match := re.search(rf"(?<!\w){re.escape(answer.strip())}(?!\w)", text, re.IGNORECASE):
                yield match.start()


def _texts(position: Position, column: str, value: Any) -> list[str]:
    """The texts of a column, which holds a text, an object with `text` and perhaps `title`, or a list of these."""
    texts = []
    for item in value if isinstance(value, list) else [value]:
        title, text = (item.get("title") or "", item.get("text")) if isinstance(item, Mapping) else ("", item)
        if fault := text_fault(text) or (text_fault(title) if title else None):
            raise position.fault(f"{column!r} {fault}")
        texts.append(with_title(str(title), str(text)))
    return texts


def _integers(value: Any, keys: Sequence[str]) -> list[int]:
    """The integers at a path of keys, in all elements of the lists on the way."""
    if isinstance(value, list):
        return [number for item in value for number in _integers(item, keys)]
    if keys:
        return _integers(value.get(keys[0]), keys[1:]) if isinstance(value, Mapping) else []
    return [value] if type(value) is int else []
