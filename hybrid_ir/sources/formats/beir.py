"""Queries or passages in BEIR's form: one text per line, as JSON or tab-separated.

    {"_id": "7", "language": "de", "title": "...", "text": "..."}      .jsonl, BEIR's form with a language
    id TAB language TAB title TAB text                                 .tsv, the first line names the columns

The key `id` may also be `_id`. The title is optional and precedes the text on a separate line; if the text is empty, it
is the text. Queries that are translations of each other have the same optional `group`. The columns of a `.tsv` may be
in any order, and files may be gzipped (`.gz`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_ir.sources.bcp47 import Spellings
from hybrid_ir.sources.errors import InputError, language_fault, text_fault
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records, text_suffix
from hybrid_ir.sources.records import as_id

COLUMNS = ("id", "language", "title", "text")
GROUP = "group"


@dataclass(frozen=True, slots=True)
class BenchmarkText:
    """A query or passage.

    Attributes:
        id: unique in its file.
        text: the text, after its title if it has one; empty if both are.
        language: the language code.
        line: its line in the file.
        group: name shared by the translations of a query; None without one.
    """

    id: str
    text: str
    language: str
    line: Line
    group: str | None = None


class TextFields(NamedTuple):
    """The fields of a record. Without a language, `language` is None; without a title, `title` is empty."""

    id: str
    text: str
    title: str
    language: str | None


def read_texts(
    path: Path, language: str | None = None, spellings: Spellings | None = None, allow_empty: bool = False
) -> dict[str, BenchmarkText]:
    """Read a file of queries or passages: id -> text.

    Args:
        path: `.jsonl` or `.tsv`, also with `.gz`.
        language: language of the texts that name none.
        spellings: notes how the file writes language codes, which are read in one spelling.
        allow_empty: whether a text may be empty.

    Raises:
        InputError: the file cannot be read or has no texts; a line is not a JSON object or has the wrong number of
            columns; id or text is missing or empty; the language is missing or malformed; an id occurs twice. Names
            the line.
    """
    texts: dict[str, BenchmarkText] = {}
    spellings = spellings or Spellings()
    for line, record in read_records(path) if text_suffix(path) == ".jsonl" else _tsv_records(path):
        text = _text(line, record, language, spellings, allow_empty)
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
            if not {"id", "text"} <= set(columns) <= {*COLUMNS, GROUP} or len(set(columns)) < len(columns):
                raise line.fault(
                    "the first line must name the tab-separated columns: id and text, and optionally language, "
                    f"title and group; found {line.text[:60]!r}"
                )
        else:
            yield line, dict(zip(columns, map(_unquoted, line.fields(len(columns))), strict=True))


def _unquoted(field: str) -> str:
    """A field as it was before pandas quoted it: what holds quotes is in quotes, and its own quotes are doubled."""
    inside = field[1:-1]
    quoted = len(field) > 2 and field[0] == field[-1] == '"' and '""' in inside and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if quoted else field


def read_fields(line: Line, record: Mapping[str, Any], spellings: Spellings, allow_empty: bool = False) -> TextFields:
    """Read and check the fields of one record. A title without a text is the text.

    Args:
        line: the line of the record, for errors.
        record: its values by field.
        spellings: notes its language code, which is read in one spelling.
        allow_empty: whether title and text may both be empty; the text is then an empty string.

    Raises:
        InputError: id or text is missing or not a string; the id is empty, or the text and the title are; the title is
            not a string; the language is malformed.
    """
    key, title = as_id(record.get("id", record.get("_id"))), record.get("title") or ""
    for name, there in (("id", key is not None), ("text", "text" in record)):
        if not there:
            raise line.fault(f"{name!r} is missing; there is {', '.join(map(repr, record)) or 'nothing'}")
    if fault := text_fault(key):
        raise line.fault(f"the id {fault}")
    text = record["text"]
    if text is None or (isinstance(text, str) and not text.strip()):
        text, title = (title, "") if isinstance(title, str) and title.strip() else ("", "")
    if (text or not allow_empty) and (fault := text_fault(text)):
        raise line.fault(f"the text {fault}")
    code = record.get("language") or None
    if code is not None and (fault := language_fault(code)):
        raise line.fault(fault)
    if title and (fault := text_fault(title)):
        raise line.fault(f"the title {fault}")
    return TextFields(str(key), str(text), str(title), None if code is None else spellings.canonical(code))


def with_title(title: str, text: str) -> str:
    """The text that is encoded: the title, if there is one, on a separate line before the text."""
    return f"{title}\n{text}" if title else text


def _text(
    line: Line, record: Mapping[str, Any], language: str | None, spellings: Spellings, allow_empty: bool
) -> BenchmarkText:
    fields = read_fields(line, record, spellings, allow_empty)
    code = fields.language or language
    if code is None:
        raise line.fault("the text has no 'language'; add one, or set eval.benchmarks.folder.language=en for all such")
    if fault := language_fault(code):
        raise line.fault(fault)
    group: Any = as_id(record.get(GROUP))
    if group not in (None, "") and (fault := text_fault(group)):
        raise line.fault(f"the group {fault}")
    text = with_title(fields.title, fields.text)
    return BenchmarkText(fields.id, text, spellings.canonical(code), line, group or None)
