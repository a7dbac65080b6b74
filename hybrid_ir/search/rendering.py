"""Search results as a table, JSON lines or a TREC run."""

import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from io import StringIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from hybrid_ir.evaluation.results.console import PLAIN_WIDTH
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.queries import Query
from hybrid_ir.search.searcher import Hit
from hybrid_ir.sources.formats.trec_run import check_word, run_lines
from hybrid_ir.sources.untrusted import for_json, printable

TAG = "hybrid_ir"
BEGINNING = 400  # characters of a passage that a table may show
WIDEST = 24  # columns of an id or title
CELLS: Mapping[str, Callable[[Hit], str]] = {
    "rank": lambda hit: str(hit.rank),
    "score": lambda hit: f"{hit.score:.4f}",
    "language": lambda hit: hit.language,
    "id": lambda hit: hit.id,
    "title": lambda hit: hit.title,
}
NUMBERS = ("rank", "score")

Found = Sequence[tuple[Query, Sequence[Hit]]]


def as_json(found: Found) -> Iterator[str]:
    """One JSON line per question, with all its fields and those of its passages."""
    for query, hits in found:
        record = {"id": query.id, "text": query.text, "language": query.language, "hits": [asdict(hit) for hit in hits]}
        yield for_json(json.dumps(record, ensure_ascii=False)) + "\n"


def as_trec(found: Found) -> Iterator[str]:
    """Lines of a TREC run. Raises ValueError if an id contains white space."""
    return run_lines(((query.id, [(hit.id, hit.score) for hit in hits]) for query, hits in found), TAG)


def check_trec(queries: Sequence[Query], index: Index, languages: Collection[str]) -> None:
    """Check, before anything is searched, that a run can hold all ids.

    Raises:
        ValueError: the id of a query, or of a passage in one of the languages, has white space.
    """
    try:
        for query in queries:
            check_word(query.id)
        for number in index.numbers(languages):
            ids = index.ids(number)
            if re.search(r"\s", ids.tobytes().decode()):
                for key in ids.tolist():
                    check_word(key.decode())
    except ValueError as error:
        raise ValueError(f"{error}; rename it, or choose format=jsonl") from None


def as_table(found: Found, width: int | None = None) -> Iterator[str]:
    """One table per question, with the beginning of each passage.

    Args:
        found: the questions and their passages.
        width: columns of a line; None for the width of the terminal, or `PLAIN_WIDTH` without one.
    """
    shown = width or (None if sys.stdout.isatty() else PLAIN_WIDTH)
    for query, hits in found:
        title = printable(f"{query.id}: {query.text}")
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
        names = [name for name in CELLS if name != "title" or any(hit.title for hit in hits)]
        rows = [[printable(CELLS[name](hit)) for name in names] for hit in hits]
        for name, column in zip(names, zip(*rows, strict=True), strict=True):
            size = min(WIDEST, max(map(cell_len, (name, *column))))
            table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True, width=size)
        table.add_column("passage", no_wrap=True, ratio=1)
        for cells, hit in zip(rows, hits, strict=True):
            table.add_row(*cells, " ".join(printable(hit.text[:BEGINNING]).split()))
        text = StringIO()
        Console(file=text, width=shown, markup=False, highlight=False).print(table)
        yield "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


FORMS = {"table": as_table, "jsonl": as_json, "trec": as_trec}
