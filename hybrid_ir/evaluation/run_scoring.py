"""Scores an external TREC run with the same measures and rules as our own results."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hybrid_ir.evaluation.benchmarks.benchmark import check_level
from hybrid_ir.evaluation.measures.measures import Measure, RankMeasure
from hybrid_ir.evaluation.measures.rank_lists import NO_CUT, RankLists
from hybrid_ir.evaluation.results.result import ALL, RUN, Result, Setting, SettingResult
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.qrels import read_qrels
from hybrid_ir.sources.formats.trec_run import TrecRun, best_first, read_run

log = logging.getLogger(__name__)
Qrels = Mapping[str, Mapping[str, int]]  # query -> passage -> grade
RUN_MEASURES = ("map", "ndcg@10", "recall@100", "rr@10")


def score_run(
    run_path: Path, qrels_path: Path, measures: Sequence[str] = RUN_MEASURES, relevance_level: int = 1
) -> Result:
    """Score a TREC run with TREC qrels; the result is named after the qrels file (`dev` for `dev.tsv`).

    A relevant passage that is not in the run counts as not retrieved, and a query that is not in the run counts as
    zero. Queries without a passage of grade 1 or higher are left out, and so are queries of the run that were not
    judged; notes count both.

    Args:
        run_path: the run.
        qrels_path: the qrels.
        measures: names of measures.
        relevance_level: lowest grade that measures of binary relevance count as relevant; nDCG uses all grades.

    Raises:
        InputError: `read_run` or `read_qrels` rejects a file, the qrels judge no query of the run, or no query has a
            relevant passage.
        ValueError: a measure is unknown or compares languages, or no passage has the relevance level.
    """
    parsed = [Measure.parse(name) for name in dict.fromkeys(measures)]
    run, qrels = read_run(run_path), _grades(qrels_path)
    for measure in parsed:
        if measure.compares_languages:
            raise ValueError(f"{measure.name} compares languages, which TREC files do not name")
    if not run.keys() & qrels.keys():
        fault = f"none of its {len(run)} queries is in {qrels_path}, such as {min(run)!r}; are these its qrels?"
        raise InputError(run_path, fault)
    relevant = {query: {key: grade for key, grade in judged.items() if grade > 0} for query, judged in qrels.items()}
    answerable = [query for query, grades in relevant.items() if grades]
    if not answerable:
        raise InputError(qrels_path, "no query has a relevant passage")
    check_level(str(qrels_path), relevance_level, [max(relevant[query].values()) for query in answerable])
    notes = tuple(_left_out(run, qrels, answerable))
    for note in notes:
        log.warning("%s: %s", run_path, note)
    lists = _ranks(run, [(query, relevant[query]) for query in answerable])
    entry = SettingResult(
        setting=Setting(RUN, ALL, ALL),
        queries=tuple(answerable),
        query_groups=np.arange(len(answerable)),
        values={each: each.at_level(lists, relevance_level) for each in parsed if isinstance(each, RankMeasure)},
    )
    return Result(
        benchmark=qrels_path.stem,
        languages=(),
        queries={ALL: len(answerable)},
        passages={},
        fingerprint=_fingerprint(qrels),
        settings=(entry,),
        notes=notes,
    )


def _left_out(run: TrecRun, qrels: Qrels, answerable: Sequence[str]) -> Iterator[str]:
    """Notes on queries that count for nothing, or as zero."""
    if unjudged := len(run.keys() - qrels.keys()):
        yield f"{unjudged} of {len(run)} queries of the run were not judged and are left out"
    if hopeless := len(qrels) - len(answerable):
        yield f"{hopeless} of {len(qrels)} judged queries have no relevant passage and are left out"
    if missing := len(set(answerable) - run.keys()):
        yield f"{missing} of {len(answerable)} queries are missing from the run and count as zero"


def _ranks(run: TrecRun, relevant: Sequence[tuple[str, Mapping[str, int]]]) -> RankLists:
    """Ranks of the relevant passages, given as query and passage -> grade; missing passages rank beyond every cut."""
    ranks: list[int] = []
    grades: list[int] = []
    offsets = [0]
    for query, graded in relevant:
        ranked = best_first(run.get(query, {}))
        found = {passage: rank for rank, passage in enumerate(ranked, start=1) if passage in graded}
        missing = [passage for passage in graded if passage not in found]
        ranks += [*found.values(), *range(NO_CUT + 1, NO_CUT + 1 + len(missing))]
        grades += [graded[passage] for passage in (*found, *missing)]
        offsets.append(len(ranks))
    return RankLists(np.array(offsets), np.array(ranks), grades=None if set(grades) == {1} else np.array(grades))


def _fingerprint(qrels: Qrels) -> str:
    judgements = sorted((query, passage, grade) for query, judged in qrels.items() for passage, grade in judged.items())
    return hashlib.sha256("\n".join("\t".join(map(str, judgement)) for judgement in judgements).encode()).hexdigest()


def _grades(path: Path) -> Qrels:
    qrels: dict[str, dict[str, int]] = {}
    for judgement in read_qrels(path):
        qrels.setdefault(judgement.query, {})[judgement.passage] = judgement.grade
    return qrels
