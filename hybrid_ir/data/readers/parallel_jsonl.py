"""Reader of parallel examples as JSON lines: the format for your own data.

    {"id": "q1", "question": {"en": "Where?", "de": "Wo?"}, "passage": {"en": "Here.", "de": "Hier."}}

One example per line. A side may lack any language, and the two sides may have different ones. The optional `negatives`
is a list of hard negatives, each written like a passage, most confusing first. Files are UTF-8, with or without a byte
order mark, and may be gzipped (`.gz`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.bcp47 import Spellings
from hybrid_ir.sources.errors import InputError, language_fault, text_fault
from hybrid_ir.sources.formats.lines import Line, read_lines
from hybrid_ir.sources.records import Example, ParallelText, as_id

_REQUIRED, _OPTIONAL = ("id", "question", "passage"), ("negatives",)


def read(name: str, path: str, cache_dir: str, group_by_text: bool = True) -> ParallelCorpus:
    """Read a file of JSON lines.

    Args:
        name: name of the corpus.
        path: the file.
        cache_dir: folder for the built corpus.
        group_by_text: see `hybrid_ir.data.writer.build_corpus`.

    Raises:
        InputError: the file is missing, empty or damaged, or a line does not have the form above. Names line and fault.
    """
    file = Path(path)
    check_file(file)
    build = fingerprint("parallel_jsonl", {"group_by_text": group_by_text}, {"file": file})
    notes: list[str] = []
    return build_corpus(name, examples(file, notes), cache_dir, build, group_by_text=group_by_text, notes=notes)


def examples(path: Path, notes: list[str]) -> Iterator[Example]:
    """Parse and check the file line by line, and note which language codes are one. Raises InputError like `read`."""
    spellings = Spellings()
    for item in scan(path, spellings):
        if isinstance(item, InputError):
            raise item
        yield item
    notes += spellings.notes


def check_file(path: Path) -> None:
    """Raises InputError if `path` is not a file."""
    if path.is_dir():
        raise InputError(path, "must be a file of JSON lines, found a folder")
    if not path.is_file():
        raise InputError(path, "there is no such file")


def scan(path: Path, spellings: Spellings) -> Iterator[Example | InputError]:
    """The example of each line, or its error. Reading continues with the next line, if it can be reached.

    Language codes are in one spelling; `spellings` notes those of the file.
    """
    numbers: dict[str, int] = {}
    line = None
    try:
        for line in read_lines(path):
            try:
                example = _example(line, spellings)
                if example.id in numbers:
                    raise line.fault(f"id {example.id!r} was used before, in line {numbers[example.id]}")
            except InputError as error:
                yield error
                continue
            numbers[example.id] = line.number
            yield example
    except InputError as error:
        yield error
        return
    if line is None:
        yield InputError(path, "there are no examples in the file")


def _example(line: Line, spellings: Spellings) -> Example:
    record = line.record()
    unknown = sorted(record.keys() - {*_REQUIRED, *_OPTIONAL})
    missing = [key for key in _REQUIRED if key not in record]
    if unknown or missing:
        what = f"has the unknown key {unknown[0]!r}" if unknown else f"lacks the key {missing[0]!r}"
        raise line.fault(f"the example {what}; keys are {', '.join(_REQUIRED)} and, optional, {', '.join(_OPTIONAL)}")
    if fault := text_fault(key := as_id(record["id"])):
        raise line.fault(f"'id' {fault}")
    negatives = record.get("negatives", [])
    if not isinstance(negatives, list):
        raise line.fault(f"'negatives' must be a list, got {type(negatives).__name__}")
    return Example(
        str(key),
        _texts(line, spellings, "question", record["question"]),
        _texts(line, spellings, "passage", record["passage"]),
        [_texts(line, spellings, f"negatives[{number}]", negative) for number, negative in enumerate(negatives)],
    )


def _texts(line: Line, spellings: Spellings, key: str, texts: Any) -> ParallelText:
    if not isinstance(texts, dict) or not texts:
        raise line.fault(f"{key!r} must be a non-empty object of texts by language, got {texts!r:.40}")
    for language, text in texts.items():
        if fault := language_fault(language):
            raise line.fault(f"in {key!r}, the {fault}")
        if fault := text_fault(text):
            raise line.fault(f"'{key}.{language}' {fault}")
    try:
        return ParallelText.of(spellings.of(texts))
    except ValueError as error:
        raise line.fault(f"in {key!r}, {error}") from None
