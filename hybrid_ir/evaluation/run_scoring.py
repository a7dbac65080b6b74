"""Scores an external TREC run with the same measures and rules as our own results."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from hybrid_ir.evaluation.benchmarks.grades import check_level
from hybrid_ir.evaluation.measures.measures import Measure, RankMeasure
from hybrid_ir.evaluation.measures.rank_lists import NO_CUT, RankLists
from hybrid_ir.evaluation.results.result import ALL, RUN, Result, Setting, SettingResult
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.qrels import read_qrels
from hybrid_ir.sources.formats.trec_run import TrecRun, best_first, read_run

log = logging.getLogger(__name__)
Grades = Mapping[str, Mapping[str, int]]  # query -> passage -> grade
T = TypeVar("T")
IGNORE = "run_ignore_identical_ids=true"
RUN_MEASURES = ("map", "ndcg@10", "recall@100", "rr@10")


def score_run(
    run_path: Path,
    qrels_path: Path,
    measures: Sequence[str] = RUN_MEASURES,
    relevance_level: int = 1,
    ignore_identical_ids: bool = False,
) -> Result:
    """Score a TREC run with TREC qrels; the result is named after the qrels file (`dev` for `dev.tsv`).

    A relevant passage that is not in the run counts as not retrieved, and a query that is not in the run counts as
    zero. Queries without a passage of grade 1 or higher are left out, and so are queries of the run that were not
    judged; notes count them.

    Args:
        run_path: the run.
        qrels_path: the qrels.
        measures: names of measures.
        relevance_level: lowest grade that measures of binary relevance count as relevant; nDCG uses all grades.
        ignore_identical_ids: whether to leave out passages that have the id of their query.

    Raises:
        InputError: `read_run` or `read_qrels` rejects a file, the qrels judge no query of the run, or no query has a
            relevant passage.
        ValueError: a measure is unknown or compares languages, or no passage has the relevance level.
    """
    parsed = [Measure.parse(name) for name in dict.fromkeys(measures)]
    for measure in parsed:
        if measure.compares_languages:
            raise ValueError(f"{measure.name} compares languages, which TREC files do not name")
    run, qrels = read_run(run_path), _grades(qrels_path)
    if not run.keys() & qrels.keys():
        fault = f"none of its {len(run)} queries is in {qrels_path}, such as {min(run)!r}; are these its qrels?"
        raise InputError(run_path, fault)
    notes = []
    if ignore_identical_ids:
        run, qrels = _without_own_ids(run), _without_own_ids(qrels)
    elif same := sum(query in found for query, found in run.items()):
        notes.append(f"{same} queries find a passage with their own id, which counts; {IGNORE} leaves it out")
    relevant = {query: grades for query, judged in qrels.items() if (grades := _positive(judged))}
    if not relevant:
        raise InputError(qrels_path, "no query has a relevant passage")
    check_level(str(qrels_path), relevance_level, [max(grades.values()) for grades in relevant.values()])
    notes += _left_out(run, qrels, relevant)
    for note in notes:
        log.warning("%s: %s", run_path, note)
    lists = _ranks(run, relevant)
    entry = SettingResult(
        setting=Setting(RUN, ALL, ALL),
        queries=tuple(relevant),
        query_groups=np.arange(len(relevant)),
        values={each: each.at_level(lists, relevance_level) for each in parsed if isinstance(each, RankMeasure)},
    )
    return Result(
        benchmark=Path(qrels_path.name.removesuffix(".gz")).stem,
        languages=(),
        queries={ALL: len(relevant)},
        passages={},
        fingerprint=_fingerprint(qrels, relevance_level, ignore_identical_ids),
        settings=(entry,),
        notes=tuple(notes),
    )


def _without_own_ids(found: Mapping[str, Mapping[str, T]]) -> dict[str, dict[str, T]]:
    return {query: {key: value for key, value in each.items() if key != query} for query, each in found.items()}


def _positive(judged: Mapping[str, int]) -> dict[str, int]:
    return {passage: grade for passage, grade in judged.items() if grade > 0}


def _left_out(run: TrecRun, qrels: Grades, relevant: Grades) -> Iterator[str]:
    """Notes on queries that count for nothing, or as zero."""
    if unjudged := len(run.keys() - qrels.keys()):
        yield f"{unjudged} of {len(run)} queries of the run were not judged and are left out"
    if unanswerable := len(qrels) - len(relevant):
        yield f"{unanswerable} of {len(qrels)} judged queries have no relevant passage and are left out"
    if missing := len(relevant.keys() - run.keys()):
        yield f"{missing} of {len(relevant)} queries are missing from the run and count as zero"


def _ranks(run: TrecRun, relevant: Grades) -> RankLists:
    """Ranks of the relevant passages; those that the run lacks rank beyond every cut."""
    ranks: list[int] = []
    grades: list[int] = []
    offsets = [0]
    for query, graded in relevant.items():
        ranked = best_first(run.get(query, {}))
        found = {passage: rank for rank, passage in enumerate(ranked, start=1) if passage in graded}
        missing = [passage for passage in graded if passage not in found]
        ranks += [*found.values(), *range(NO_CUT + 1, NO_CUT + 1 + len(missing))]
        grades += [graded[passage] for passage in (*found, *missing)]
        offsets.append(len(ranks))
    return RankLists(np.array(offsets), np.array(ranks), grades=None if set(grades) == {1} else np.array(grades))


def _fingerprint(qrels: Grades, level: int, ignore_identical_ids: bool) -> str:
    judgements = sorted((query, passage, grade) for query, judged in qrels.items() for passage, grade in judged.items())
    lines = ["\t".join(map(str, judgement)) for judgement in judgements]
    lines += [f"level {level}"] * (level > 1) + ["ignored"] * ignore_identical_ids
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _grades(path: Path) -> Grades:
    qrels: dict[str, dict[str, int]] = {}
    for judgement in read_qrels(path):
        qrels.setdefault(judgement.query, {})[judgement.passage] = judgement.grade
    return qrels
