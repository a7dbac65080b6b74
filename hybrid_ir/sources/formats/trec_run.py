"""Ranked lists in TREC's run format, which every evaluation tool reads and writes.

Each line is `query Q0 passage rank score tag`, separated by tabs if it has any, else by white space. Two rules are
trec_eval's: passages are ranked by score descending, then id descending, whatever the rank column says; and scores are
float32.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.lines import read_lines

TrecRun = Mapping[str, Mapping[str, float]]  # query -> passage -> score
RankedList = tuple[str, Sequence[tuple[str, float]]]  # query, (passage, score) best first
RUN_COLUMNS = ("query", "Q0", "passage", "rank", "score", "tag")


def write_run(path: str | Path, lists: Iterable[RankedList], tag: str) -> None:
    """Write the ranked passages of every query. Raises like `run_lines`."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(run_lines(lists, tag))


def run_lines(lists: Iterable[RankedList], tag: str) -> Iterator[str]:
    """The lines of a run. Scores are written with enough digits to read back the same float32.

    Raises:
        ValueError: an id or the tag is empty or contains white space, which separates columns.
    """
    check_word(tag)
    for query, found in lists:
        for word in (query, *(passage for passage, _ in found)):
            check_word(word)
        for rank, (passage, score) in enumerate(found, start=1):
            yield f"{query} Q0 {passage} {rank} {score:.9g} {tag}\n"


def read_run(path: str | Path) -> dict[str, dict[str, float]]:
    """Read a run: query -> passage -> score.

    Raises:
        InputError: the file cannot be read or is empty, a line does not have six columns, a score is not a finite
            number, or a passage occurs twice for a query.
    """
    run: dict[str, dict[str, float]] = {}
    for line in read_lines(Path(path)):
        query, _, passage, _, text, _ = line.columns(len(RUN_COLUMNS), " ".join(RUN_COLUMNS))
        try:
            with np.errstate(over="ignore"):  # an overflow becomes infinite and is refused below
                score = float(np.float32(text))
        except ValueError:
            raise line.fault(f"the score must be a number, got {text!r}") from None
        if not np.isfinite(score):
            raise line.fault(f"the score must be finite in float32, got {text}")
        if passage in run.setdefault(query, {}):
            raise line.fault(f"passage {passage!r} occurs twice for query {query!r}")
        run[query][passage] = score
    if not run:
        raise InputError(path, "the file is empty")
    return run


def best_first(scores: Mapping[str, float]) -> list[str]:
    """The passages of one query, ranked: score descending, then id descending."""
    return sorted(scores, key=lambda passage: (scores[passage], passage), reverse=True)


def check_word(word: str) -> None:
    """Raises ValueError if a word cannot be a column of a TREC file."""
    if word.split() != [word]:
        raise ValueError(f"a column of a TREC file must not be empty or contain white space, got {word!r}")
