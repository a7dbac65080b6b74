"""What was found, as a table, as JSON lines or as a TREC run."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from hybrid_ir.reporting.console import PLAIN_WIDTH
from hybrid_ir.retrieval.trec import run_lines
from hybrid_ir.search.queries import Query
from hybrid_ir.search.searcher import Hit

TAG = "hybrid_ir"
BEGINNING = 400  # characters of a passage that a table may show

Found = Sequence[tuple[Query, Sequence[Hit]]]


def as_json(found: Found) -> Iterator[str]:
    """A line a question, with everything that is known of it and of its passages."""
    for query, hits in found:
        record = {"id": query.id, "text": query.text, "language": query.language, "hits": [asdict(hit) for hit in hits]}
        yield json.dumps(record, ensure_ascii=False) + "\n"


def as_trec(found: Found) -> Iterator[str]:
    """Lines of a TREC run; raises ValueError where an id has white space in it."""
    return run_lines(((query.id, [(hit.id, hit.score) for hit in hits]) for query, hits in found), TAG)


def as_table(found: Found, width: int | None = None) -> Iterator[str]:
    """A table a question, with the beginning of each passage.

    Args:
        found: the questions and their passages.
        width: of a line in columns; None for that of the terminal, `PLAIN_WIDTH` where there is none.
    """
    for query, hits in found:
        table = Table(title=f"{query.id}: {query.text}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("rank", "score"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("language", no_wrap=True)
        table.add_column("id", overflow="fold", max_width=24)
        titled = any(hit.title for hit in hits)
        if titled:
            table.add_column("title", overflow="ellipsis", no_wrap=True, max_width=24)
        table.add_column("passage", overflow="ellipsis", no_wrap=True)
        for hit in hits:
            beginning = " ".join(hit.text[:BEGINNING].split())
            cells = [
                str(hit.rank),
                f"{hit.score:.4f}",
                hit.language,
                hit.id,
                *([hit.title] if titled else []),
                beginning,
            ]
            table.add_row(*cells)
        text = StringIO()
        shown = width or (None if sys.stdout.isatty() else PLAIN_WIDTH)
        Console(file=text, width=shown, markup=False, highlight=False).print(table)
        yield "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


FORMS = {"table": as_table, "jsonl": as_json, "trec": as_trec}
