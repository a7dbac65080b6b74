"""Questions to an index: one from the command line, or a file of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.search_config import OWN
from hybrid_ir.sources.formats.beir import read_texts
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import UNDETERMINED

SINGLE = "1"  # id of a question from the command line


@dataclass(frozen=True)
class Query:
    """A question.

    Attributes:
        id: unique among the questions.
        text: what is asked.
        language: its code, None where it is not known.
        line: where it stands; None on the command line.
    """

    id: str
    text: str
    language: str | None = None
    line: Line | None = None


def read_queries(path: Path) -> list[Query]:
    """The questions of a file (`.jsonl`, or `.tsv` whose first line names the columns): id, text, optional language.

    Raises:
        InputError: what `read_texts` raises; names file and line.
    """
    texts = read_texts(path, language=UNDETERMINED).values()
    return [
        Query(text.id, text.text, None if text.language == UNDETERMINED else text.language, text.line) for text in texts
    ]


def pools(index: Index, queries: Sequence[Query], language: Any) -> dict[tuple[str, ...], list[int]]:
    """Who searches what: languages of passages -> positions of the questions that search them.

    Args:
        index: what is searched.
        queries: the questions.
        language: see `SearchConfig`.

    Raises:
        InputError: a question has no language, or one that the index does not have, and is to search its own.
        ValueError: the index has no such language.
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
            index.check_languages([query.language])
        except ValueError as error:
            raise query.line.fault(f"the language of query {query.id!r}: {error}") from None
        groups.setdefault((query.language,), []).append(position)
    return groups


def _codes(index: Index, language: Any) -> tuple[str, ...]:
    if language is None:
        return index.languages
    codes: Iterable[Any] = [language] if isinstance(language, str) else language
    return tuple(dict.fromkeys(map(str, codes)))
