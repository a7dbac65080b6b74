"""Queries or passages in BEIR's form: one text per line, as JSON or tab-separated.

    {"_id": "7", "language": "de", "title": "...", "text": "..."}      .jsonl, BEIR's form with a language
    id TAB language TAB title TAB text                                 .tsv, the first line names the columns

The key `id` may also be `_id`. The title is optional and precedes the text on a separate line. The columns of
a `.tsv` may be in any order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_ir.sources.bcp47 import Spellings
from hybrid_ir.sources.errors import InputError, language_fault, text_fault
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records
from hybrid_ir.sources.records import as_id

COLUMNS = ("id", "language", "title", "text")


@dataclass(frozen=True, slots=True)
class BenchmarkText:
    """A query or passage.

    Attributes:
        id: unique in its file.
        text: the text, after its title if it has one.
        language: the language code.
        line: its line in the file.
    """

    id: str
    text: str
    language: str
    line: Line


class TextFields(NamedTuple):
    """The fields of a record. Without a language, `language` is None; without a title, `title` is empty."""

    id: str
    text: str
    title: str
    language: str | None


def read_texts(path: Path, language: str | None = None, spellings: Spellings | None = None) -> dict[str, BenchmarkText]:
    """Read a file of queries or passages: id -> text.

    Args:
        path: `.jsonl` or `.tsv`.
        language: language of the texts that name none.
        spellings: notes how the file writes language codes, which are read in one spelling.

    Raises:
        InputError: the file cannot be read or has no texts; a line is not a JSON object or has the wrong number of
            columns; id or text is missing or empty; the language is missing or malformed; an id occurs twice. Names
            the line.
    """
    texts: dict[str, BenchmarkText] = {}
    spellings = spellings or Spellings()
    for line, record in read_records(path) if path.suffix == ".jsonl" else _tsv_records(path):
        text = _text(line, record, language, spellings)
        if text.id in texts:
            raise line.fault(f"id {text.id!r} was used before, in line {texts[text.id].line.number}")
        texts[text.id] = text
    if not texts:
        raise InputError(path, "there are no texts in the file")
    return texts


def _tsv_records(path: Path) -> Iterator[tuple[Line, Mapping[str, Any]]]:
    columns: list[str] = []
    for line in read_lines(path):
        if not columns:
            columns = ["id" if name == "_id" else name for name in line.text.split("\t")]
            if not {"id", "text"} <= set(columns) <= set(COLUMNS) or len(set(columns)) < len(columns):
                raise line.fault(
                    "the first line must name the tab-separated columns: id and text, and optionally language and "
                    f"title; found {line.text[:60]!r}"
                )
        else:
            yield line, dict(zip(columns, map(_unquoted, line.fields(len(columns))), strict=True))


def _unquoted(field: str) -> str:
    """A field as it was before pandas quoted it: what holds quotes is in quotes, and its own quotes are doubled."""
    inside = field[1:-1]
    quoted = len(field) > 2 and field[0] == field[-1] == '"' and '""' in inside and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if quoted else field


def read_fields(line: Line, record: Mapping[str, Any], spellings: Spellings) -> TextFields:
    """Read and check the fields of one record; `spellings` notes its language code, which is read in one spelling.

    Raises:
        InputError: id or text is missing, empty or not a string; the title is not a string; the language is malformed.
    """
    key, text, title = as_id(record.get("id", record.get("_id"))), record.get("text"), record.get("title") or ""
    for name, value in (("id", key), ("text", text)):
        if value is None:
            raise line.fault(f"{name!r} is missing; there is {', '.join(map(repr, record)) or 'nothing'}")
        if fault := text_fault(value):
            raise line.fault(f"the {name} {fault}")
    code = record.get("language") or None
    if code is not None and (fault := language_fault(code)):
        raise line.fault(fault)
    if title and (fault := text_fault(title)):
        raise line.fault(f"the title {fault}")
    return TextFields(str(key), str(text), str(title), None if code is None else spellings.canonical(code))


def with_title(title: str, text: str) -> str:
    """The text that is encoded: the title, if there is one, on a separate line before the text."""
    return f"{title}\n{text}" if title else text


def _text(line: Line, record: Mapping[str, Any], language: str | None, spellings: Spellings) -> BenchmarkText:
    fields = read_fields(line, record, spellings)
    code = fields.language or language
    if code is None:
        raise line.fault("the text has no 'language'; add one, or set eval.benchmarks.folder.language=en for all such")
    if fault := language_fault(code):
        raise line.fault(fault)
    return BenchmarkText(fields.id, with_title(fields.title, fields.text), spellings.canonical(code), line)
