"""Parallel examples as JSON lines: the format for your own data.

    {"id": "q1", "question": {"en": "Where?", "de": "Wo?"}, "passage": {"en": "Here.", "de": "Hier."}}

One example a line. A side may lack any language, and the two sides may have different ones. `negatives`, optional, is a
list of hard negatives, each written like a passage, most confusing first. UTF-8, with or without a byte order mark;
`.gz` is read as it is.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.records import Example, ParallelText
from hybrid_ir.sources.text import language_fault, text_fault

_REQUIRED, _OPTIONAL = ("id", "question", "passage"), ("negatives",)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(name: str, path: str, cache_dir: str, group_by_text: bool = True) -> ParallelCorpus:
    """Read a file of JSON lines.

    Args:
        name: of the corpus.
        path: the file.
        cache_dir: where the corpus is kept in Arrow form.
        group_by_text: see `hybrid_ir.data.writer.build_corpus`.

    Raises:
        InputError: the file is missing, empty or damaged, or a line is not as described above; names line and fault.
    """
    file = Path(path)
    check_file(file)
    mark = fingerprint("parallel_jsonl", {"group_by_text": group_by_text}, {"file": file})
    return build_corpus(name, examples(file), cache_dir, mark, group_by_text=group_by_text)


def examples(path: Path) -> Iterator[Example]:
    """Parse and check the file line by line; raises `InputError` as `read` does."""
    for item in scan(path):
        if isinstance(item, InputError):
            raise item
        yield item


def check_file(path: Path) -> None:
    """Raises InputError where there is no file at `path`."""
    if path.is_dir():
        raise InputError(path, "is a folder, not a file of JSON lines")
    if not path.is_file():
        raise InputError(path, "there is no such file")


def scan(path: Path) -> Iterator[Example | InputError]:
    """The example of each line, or what is wrong with it; after a fault the next line goes on, if it can be reached."""
    lines: dict[str, int] = {}
    number = 0
    try:
        for number, line in _lines(path):
            try:
                example = _example(_Line(path, number), line)
                if example.id in lines:
                    fault = f"id {example.id!r} was used before, in line {lines[example.id]}"
                    raise InputError(path, fault, line=number)
            except InputError as error:
                yield error
                continue
            lines[example.id] = number
            yield example
    except InputError as error:
        yield error
        return
    if not number:
        yield InputError(path, "there is no example in the file")


class _Line:
    """A line of the file, to say where a fault is."""

    def __init__(self, path: Path, number: int) -> None:
        self.path, self.number = path, number

    def fault(self, text: str) -> InputError:
        return InputError(self.path, text, line=self.number)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, f"the compressed file is damaged: {error}") from error
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error


def _example(line: _Line, raw: bytes) -> Example:
    record = _parse(line, raw)
    unknown = sorted(record.keys() - {*_REQUIRED, *_OPTIONAL})
    missing = [key for key in _REQUIRED if key not in record]
    if unknown or missing:
        what = f"has the unknown key {unknown[0]!r}" if unknown else f"lacks the key {missing[0]!r}"
        raise line.fault(f"the example {what}; keys are {', '.join(_REQUIRED)} and, optional, {', '.join(_OPTIONAL)}")
    if fault := text_fault(record["id"]):
        raise line.fault(f"'id' {fault}")
    negatives = record.get("negatives", [])
    if not isinstance(negatives, list):
        raise line.fault(f"'negatives' is {type(negatives).__name__}, not a list")
    return Example(
        record["id"],
        _texts(line, "question", record["question"]),
        _texts(line, "passage", record["passage"]),
        [_texts(line, f"negatives[{place}]", negative) for place, negative in enumerate(negatives)],
    )


def _parse(line: _Line, raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw.decode(), object_pairs_hook=_distinct)
    except UnicodeDecodeError as error:
        raise line.fault(f"not UTF-8: {error.reason} at byte {error.start} of the line") from error
    except json.JSONDecodeError as error:
        what = "not JSON" if raw.strip() else "an empty line"
        raise line.fault(f"{what}: {error.msg} (column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise line.fault(f"not usable JSON: {error}") from error
    if not isinstance(record, dict):
        raise line.fault(f"a line is one JSON object, this is {type(record).__name__}")
    return record


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice in one object")
    return record


def _texts(line: _Line, key: str, texts: Any) -> ParallelText:
    if not isinstance(texts, dict) or not texts:
        raise line.fault(f"{key!r} must be a non-empty object of texts by language, not {texts!r:.40}")
    for language, text in texts.items():
        if fault := language_fault(language):
            raise line.fault(f"in {key!r}, the {fault}")
        if fault := text_fault(text):
            raise line.fault(f"'{key}.{language}' {fault}")
    return ParallelText.of(texts)
