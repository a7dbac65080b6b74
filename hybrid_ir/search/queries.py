"""Questions to search an index with: one from the command line, or all of a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.sources.formats.beir import read_texts
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import UNDETERMINED

OWN = "own"  # `language`: the language of each question
SINGLE = "1"  # id of a question from the command line


@dataclass(frozen=True)
class Query:
    """A question to an index.

    Attributes:
        id: unique among the questions.
        text: the question.
        language: language code; None if it is unknown.
        line: its line in the file; None for a question from the command line.
    """

    id: str
    text: str
    language: str | None = None
    line: Line | None = None


def read_queries(path: Path) -> list[Query]:
    """Read a file of questions (`.jsonl`, or `.tsv` whose first line names the columns): id, text, optional language.

    Raises:
        InputError: see `read_texts`. Names file and line.
    """
    texts = read_texts(path, language=UNDETERMINED).values()
    return [
        Query(text.id, text.text, None if text.language == UNDETERMINED else text.language, text.line) for text in texts
    ]


def pools(index: Index, queries: Sequence[Query], language: Any) -> dict[tuple[str, ...], list[int]]:
    """Group the questions by the languages that they search: languages -> positions of questions.

    Args:
        index: the index to search.
        queries: the questions.
        language: see `SearchConfig`.

    Raises:
        InputError: with `language=own`, a question has no language, or one that the index lacks.
        ValueError: the index lacks a language.
    """
    if language != OWN:
        wanted = _codes(index, language)
        index.check_languages(wanted)
        return {wanted: list(range(len(queries)))}
    groups: dict[tuple[str, ...], list[int]] = {}
    for position, query in enumerate(queries):
        assert query.line is not None
        if query.language is None:
            raise query.line.fault(f"query {query.id!r} has no language; it is needed with language={OWN}")
        try:
            language = index.spelled(query.language)
            index.check_languages([language])
        except ValueError as error:
            raise query.line.fault(f"the language of query {query.id!r}: {error}") from None
        groups.setdefault((language,), []).append(position)
    return groups


def _codes(index: Index, language: Any) -> tuple[str, ...]:
    if language is None:
        return index.languages
    codes: Iterable[Any] = [language] if isinstance(language, str) else language
    return tuple(dict.fromkeys(index.spelled(str(code)) for code in codes))
