"""Relevance judgements in TREC's form (`query 0 passage grade`) and BEIR's (`query passage grade` under a header)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.sources.errors import InputError, text_fault
from hybrid_ir.sources.formats.lines import Line, read_lines, read_records

BEIR_HEADER = ("query-id", "corpus-id", "score")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judged passage of a query.

    Attributes:
        query: its id.
        passage: its id.
        grade: 0 or less for a passage that was judged irrelevant.
        line: where it stands.
    """

    query: str
    passage: str
    grade: int
    line: Line

    @property
    def relevant(self) -> bool:
        return self.grade > 0


def read_qrels(path: Path) -> list[Judgement]:
    """Read a file of judgements: `.jsonl` with the keys of `BEIR_HEADER`, else columns between white space.

    A first line `query-id corpus-id score` announces BEIR's three columns; without it there are TREC's four, of which
    the second is not used.

    Raises:
        InputError: a line has another number of columns, an empty id or a grade that is no whole number; a passage is
            judged twice for a query; there is no line. Names file and line.
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
        raise line.fault(f"the grade must be a whole number, not {grade!r}") from None
