"""Runs and qrels as text files in TREC's format, which every evaluation tool reads and writes.

A run has lines `query Q0 passage rank score tag`, qrels have lines `query 0 passage relevance`; white space separates
columns. Passages are ranked by score descending, then id descending, whatever the rank column says, and scores are
float32: both are trec_eval's rules.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from hybrid_ir.retrieval.benchmark import Benchmark
from hybrid_ir.retrieval.result import Result
from hybrid_ir.retrieval.top import NO_PASSAGE, TopPassages
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.lines import read_lines

Run = Mapping[str, Mapping[str, float]]  # query -> passage -> score
RUN_COLUMNS = ("query", "Q0", "passage", "rank", "score", "tag")


def write_run(path: str | Path, benchmark: Benchmark, top: TopPassages, tag: str) -> None:
    """Write the best passages of every query. Scores are written so that reading gives the same float32 back.

    Raises:
        ValueError: an id or the tag has white space in it, so that columns could not be told apart.
    """
    _check_words(benchmark.queries.ids, benchmark.passages.ids, (tag,))
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        for query, passages, scores in zip(benchmark.queries.ids, top.passages, top.scores, strict=True):
            for rank, (passage, score) in enumerate(zip(passages.tolist(), scores.tolist(), strict=True), start=1):
                if passage != NO_PASSAGE:
                    file.write(f"{query} Q0 {benchmark.passages.ids[passage]} {rank} {score:.9g} {tag}\n")


def write_runs(folder: Path, benchmark: Benchmark, result: Result) -> None:
    """Write what a result has kept of its best passages: `xquad_r.multilingual.trec`, `xquad_r.monolingual.trec`.

    The former ranks passages of all languages, the latter those of the query's own.
    """
    for pool, top in result.top.items():
        write_run(folder / f"{benchmark.name}.{pool}.trec", benchmark, top, tag="hybrid_ir")


def write_qrels(path: str | Path, benchmark: Benchmark) -> None:
    """Write the relevant passages of every query.

    Raises:
        ValueError: an id has white space in it.
    """
    _check_words(benchmark.queries.ids, benchmark.passages.ids)
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        for query, (begin, end) in zip(benchmark.queries.ids, pairwise(benchmark.offsets), strict=True):
            for passage in benchmark.relevant[begin:end]:
                file.write(f"{query} 0 {benchmark.passages.ids[passage]} 1\n")


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


def _check_words(*groups: tuple[str, ...]) -> None:
    for word in (word for group in groups for word in group):
        if len(word.split()) != 1:
            raise ValueError(f"{word!r} has white space in it or is empty: it cannot be a column of a TREC file")
