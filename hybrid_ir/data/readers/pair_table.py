"""Reader of question-passage pairs in one language: tables on the hub (Parquet or JSON lines), by a map of columns.

The choices `mfaq`, `natural_questions`, `newsqa`, `duorc`, `mr_tydi` and `wikiqa` in conf/data are such maps. Their
layouts are those of stored listings and cards of the repositories; the hub could not be reached when this was written,
so neither the downloads nor the numbers of rows have been verified.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers.invalid_rows import ON_INVALID, InvalidRows, OnInvalid
from hybrid_ir.data.readers.pair_columns import PairColumns, Position
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.bcp47 import canonical
from hybrid_ir.sources.errors import InputError, check_choice, language_fault
from hybrid_ir.sources.file_search import matching
from hybrid_ir.sources.formats.lines import read_records
from hybrid_ir.sources.formats.parquet_rows import read_parquet
from hybrid_ir.sources.formats.sentences import SPLITTER
from hybrid_ir.sources.hub.repository import Repository
from hybrid_ir.sources.records import Example, ParallelText

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def read(
    name: str,
    repository: str,
    revision: str,
    files: Sequence[str],
    question: str,
    passage: str,
    cache_dir: str,
    root: str | None = None,
    language: str = "en",
    where: Mapping[str, Any] | None = None,
    nested: str | None = None,
    answers: str | None = None,
    starts: str | None = None,
    window: int = 100,
    hard_negatives: str | None = None,
    on_invalid: OnInvalid = "drop",
) -> ParallelCorpus:
    """Read pairs from `root` or the hub. Questions with the same text share their answers, which are no negatives.

    A passage is a text, an object with `text` and optionally `title`, or a list of these, of which each makes a pair.
    If the table says what the answers are, the passage is the part of the text around one of them: the sentence in
    which it starts, and its neighbours while they have at most `window` words. 100 words are DPR's passages (Karpukhin
    et al., EMNLP 2020, arXiv:2004.04906).

    Args:
        name: name of the corpus.
        repository: owner/name on the hub.
        revision: commit of the repository.
        files: patterns of its files, `.parquet`, `.jsonl` or `.jsonl.gz`.
        question: column of the question.
        passage: column of the passage.
        cache_dir: folder for the built corpus.
        root: a folder that may contain `owner/name/` in the layout of the hub; otherwise it is downloaded.
        language: language of all texts.
        where: column -> value of the rows to read; None for all rows.
        nested: column that holds a list of rows, which have the columns below; None if the table has them itself.
        answers: column with a list of answers, of which the first that occurs in the passage counts, as whole words and
            in any case; None for whole passages.
        starts: column with character offsets of the answers, with dots into nested objects (`labels.start`). An
            occurrence at such an offset counts before all others.
        window: most words of a passage around an answer; a longer sentence is not cut.
        hard_negatives: column with a list of passages that do not answer the question, most confusing first.
        on_invalid: `drop` leaves out rows without a question, a passage or an answer in it, counts them, and describes
            the first ones in the corpus' `notes`; `error` stops at the first.

    Raises:
        InputError: a file is missing, damaged or lacks a column, or a row is invalid and `on_invalid` is `error`.
        UnreachableError: there is no copy in `root`, and the hub cannot be reached. Says how to work offline.
        ValueError: an option is invalid.
    """
    check_choice("on_invalid", on_invalid, ON_INVALID)
    if fault := language_fault(language):
        raise ValueError(fault)
    if window < 1:
        raise ValueError(f"`window` must be at least 1 word, got {window}")
    if starts is not None and answers is None:
        raise ValueError(f"`starts={starts}` are offsets of answers and need `answers`, the column with their texts")
    paths = _files(repository, revision, files, root)
    columns = PairColumns(question, passage, canonical(language), nested, answers, starts, window, hard_negatives)
    chosen = dict(where or {})
    options: dict[str, Any] = {"columns": asdict(columns), "where": chosen, "on_invalid": on_invalid}
    if answers is not None:
        options["splitter"] = SPLITTER
    build = fingerprint("pair_table", options, {f"{number:04}": path for number, path in enumerate(paths)})
    notes: list[str] = []
    return build_corpus(name, _examples(paths, columns, chosen, on_invalid, notes), cache_dir, build, notes=notes)


def _files(repository: str, revision: str, patterns: Sequence[str], root: str | None) -> list[Path]:
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"`repository` must be owner/name, got {repository!r}")
    for pattern in patterns:
        if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
            raise ValueError(f"`files` must be patterns inside the repository, got {pattern!r}")
    folder = Repository(repository, revision).folder(patterns, root)
    found = {pattern: list(map(Path, matching(str(folder / pattern)))) for pattern in patterns}
    for pattern, paths in found.items():
        if not paths:
            raise InputError(folder / pattern, "there is no such file")
    return list(dict.fromkeys(path for paths in found.values() for path in paths))


def _examples(
    files: Sequence[Path], columns: PairColumns, where: Mapping[str, Any], on_invalid: OnInvalid, notes: list[str]
) -> Iterator[Example]:
    """The pairs of all valid rows. Ids are the numbers of file and row, and of the row inside it and the passage."""
    invalid, size = InvalidRows(on_invalid), 0
    for key, position, row in _rows(files, columns, where):
        size += 1
        try:
            pairs = list(columns.pairs(position, row))
        except InputError as error:
            invalid.add(error)
            continue
        for number, pair in enumerate(pairs):
            question, passage, *negatives = (
                ParallelText.of({columns.language: text}) for text in (*pair[:2], *pair.hard_negatives)
            )
            yield Example(f"{key}-{number}" if number else key, question, passage, negatives)
    notes += invalid.notes(columns.language, size)


def _rows(files: Sequence[Path], columns: PairColumns, where: Mapping[str, Any]) -> Iterator[tuple[str, Position, Any]]:
    """The chosen rows with an id and a position."""
    names = list(dict.fromkeys([*where, *columns.names]))
    for number, file in enumerate(files):
        table: Iterator[tuple[Position, dict[str, Any]]] = (
            read_parquet(file, names) if file.suffix == ".parquet" else read_records(file)
        )
        for at, (position, record) in enumerate(table):
            if any(record.get(column) != value for column, value in where.items()):
                continue
            for inner, row in enumerate(columns.rows(position, record)):
                yield f"{number}-{at}" + (f"-{inner}" if columns.nested else ""), position, row
