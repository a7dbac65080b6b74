"""Runs as text files in TREC's format, which every evaluation tool reads and writes.

A run has lines `query Q0 passage rank score tag`; white space separates columns. Passages are ranked by score
descending, then id descending, whatever the rank column says, and scores are float32: both are trec_eval's rules.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.lines import read_lines

TrecRun = Mapping[str, Mapping[str, float]]  # query -> passage -> score
RankedList = tuple[str, Sequence[tuple[str, float]]]  # a query, its passages and their scores, best first
RUN_COLUMNS = ("query", "Q0", "passage", "rank", "score", "tag")


def write_run(path: str | Path, lists: Iterable[RankedList], tag: str) -> None:
    """Write the best passages of every query; raises what `run_lines` raises."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(run_lines(lists, tag))


def run_lines(lists: Iterable[RankedList], tag: str) -> Iterator[str]:
    """The lines of a run. Scores are written so that reading gives the same float32 back.

    Raises:
        ValueError: an id or the tag has white space in it, so that columns could not be told apart.
    """
    _check_words((tag,))
    for query, found in lists:
        _check_words((query,), (passage for passage, _ in found))
        for rank, (passage, score) in enumerate(found, start=1):
            yield f"{query} Q0 {passage} {rank} {score:.9g} {tag}\n"


def read_run(path: str | Path) -> dict[str, dict[str, float]]:
    """Passages and scores by query.

    Raises:
        InputError: the file cannot be read or is empty, a line has not six columns, a score is no finite number, or a
            passage occurs twice for a query.
    """
    run: dict[str, dict[str, float]] = {}
    for line in read_lines(Path(path)):
        fields = line.text.split()
        if len(fields) != len(RUN_COLUMNS):
            raise line.fault(f"{len(fields)} columns; expected {len(RUN_COLUMNS)}: {' '.join(RUN_COLUMNS)}")
        query, _, passage, _, text, _ = fields
        try:
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
                score = float(np.float32(text))
        except ValueError:
            raise line.fault(f"the score is {text!r}, not a number") from None
        if not np.isfinite(score):
            raise line.fault(f"the score {text} is not finite in float32")
        if passage in run.setdefault(query, {}):
            raise line.fault(f"passage {passage!r} occurs twice for query {query!r}")
        run[query][passage] = score
    if not run:
        raise InputError(path, "the file is empty")
    return run


def best_first(scores: Mapping[str, float]) -> list[str]:
    """The passages of one query in their order: score descending, then id descending."""
    return sorted(scores, key=lambda passage: (scores[passage], passage), reverse=True)


def _check_words(*groups: Iterable[str]) -> None:
    for word in (word for group in groups for word in group):
        if word.split() != [word]:
            raise ValueError(f"{word!r} has white space in it or is empty: it cannot be a column of a TREC file")
