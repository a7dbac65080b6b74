"""Relevance judgements in TREC's form (`query 0 passage grade`) and BEIR's (`query passage grade` under a header)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.sources.errors import InputError, text_fault
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records, text_suffix

WHOLE = re.compile(r"[+-]?\d{1,6}(\.0*)?", re.ASCII)
BEIR_HEADER = ("query-id", "corpus-id", "score")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A relevance judgement of one passage for one query.

    Attributes:
        query: id of the query.
        passage: id of the passage.
        grade: relevance; 0 or less for a passage that was judged irrelevant.
        line: its line in the file.
    """

    query: str
    passage: str
    grade: int
    line: Line

    @property
    def relevant(self) -> bool:
        return self.grade > 0


def read_qrels(path: Path) -> list[Judgement]:
    """Read a file of judgements: `.jsonl` with the keys of `BEIR_HEADER`, or columns separated by tabs or white space.

    With the first line `query-id corpus-id score` there are BEIR's three columns. Without it there are TREC's four, and
    the second is ignored. A repeated judgement counts once, and files may be gzipped (`.gz`).

    Raises:
        InputError: a line has the wrong number of columns, an empty id or a grade that is not a whole number; a passage
            has two grades for a query; the file is empty. Names file and line.
    """
    judgements: dict[tuple[str, str], Judgement] = {}
    for item in _json_lines(path) if text_suffix(path) == ".jsonl" else _columns(path):
        first = judgements.setdefault((item.query, item.passage), item)
        if first.grade != item.grade:
            raise item.line.fault(
                f"passage {item.passage!r} was judged before for query {item.query!r}, in line {first.line.number}, "
                f"with grade {first.grade}; keep one of the two"
            )
    if not judgements:
        raise InputError(path, "there are no judgements in the file")
    return list(judgements.values())


def _columns(path: Path) -> Iterator[Judgement]:
    count = 4
    for line in read_lines(path):
        if line.number == 1 and tuple(line.text.split()) == BEIR_HEADER:
            count = 3
            continue
        query, *_, passage, grade = line.columns(count)
        yield _judgement(line, query, passage, grade)


def _json_lines(path: Path) -> Iterator[Judgement]:
    for line, record in read_records(path):
        missing = [key for key in BEIR_HEADER if record.get(key) is None]
        if missing:
            raise line.fault(f"{missing[0]!r} is missing; there is {', '.join(map(repr, record)) or 'nothing'}")
        query, passage, grade = (str(record[key]) for key in BEIR_HEADER)
        yield _judgement(line, query, passage, grade)


def _judgement(line: Line, query: str, passage: str, grade: str) -> Judgement:
    for name, key in (("query", query), ("passage", passage)):
        if fault := text_fault(key):
            raise line.fault(f"the id of the {name} {fault}")
    if not WHOLE.fullmatch(grade.strip()):
        raise line.fault(f"the grade must be an integer, got {grade!r}")
    return Judgement(query, passage, int(float(grade)), line)
