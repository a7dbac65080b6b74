"""Relevance judgements in TREC's form (`query 0 passage grade`) and BEIR's (`query passage grade` under a header)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.sources.errors import InputError, text_fault
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records

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
    """Read a file of judgements: `.jsonl` with the keys of `BEIR_HEADER`, or columns separated by white space.

    With the first line `query-id corpus-id score` there are BEIR's three columns. Without it there are TREC's four, and
    the second is ignored.

    Raises:
        InputError: a line has the wrong number of columns, an empty id or a grade that is not an integer; a passage is
            judged twice for a query; the file is empty. Names file and line.
    """
    judgements = list(_json_lines(path) if path.suffix == ".jsonl" else _columns(path))
    if not judgements:
        raise InputError(path, "there are no judgements in the file")
    seen: dict[tuple[str, str], int] = {}
    for judgement in judgements:
        first = seen.setdefault((judgement.query, judgement.passage), judgement.line.number)
        if first != judgement.line.number:
            raise judgement.line.fault(
                f"passage {judgement.passage!r} was judged before for query {judgement.query!r}, in line {first}"
            )
    return judgements


def _columns(path: Path) -> Iterator[Judgement]:
    columns = 4
    for line in read_lines(path):
        fields = line.text.split()
        if line.number == 1 and tuple(fields) == BEIR_HEADER:
            columns = 3
            continue
        if len(fields) != columns:
            raise line.fault(f"expected {columns} columns, found {len(fields)}: {line.text[:60]!r}")
        query, *_, passage, grade = fields
        yield _judgement(line, query, passage, grade)


def _json_lines(path: Path) -> Iterator[Judgement]:
    for line, record in read_records(path):
        missing = [key for key in BEIR_HEADER if key not in record]
        if missing:
            raise line.fault(f"{missing[0]!r} is missing; there is {', '.join(map(repr, record)) or 'nothing'}")
        query, passage, grade = (str(record[key]) for key in BEIR_HEADER)
        yield _judgement(line, query, passage, grade)


def _judgement(line: Line, query: str, passage: str, grade: str) -> Judgement:
    for name, key in (("query", query), ("passage", passage)):
        if fault := text_fault(key):
            raise line.fault(f"the id of the {name} {fault}")
    try:
        return Judgement(query, passage, int(grade), line)
    except ValueError:
        raise line.fault(f"the grade must be an integer, got {grade!r}") from None
