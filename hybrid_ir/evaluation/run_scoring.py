"""Scores an external TREC run with the same measures and rules as our own results."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hybrid_ir.evaluation.measures.measures import Measure, RankMeasure
from hybrid_ir.evaluation.measures.rank_lists import NO_CUT, RankLists
from hybrid_ir.evaluation.results.result import ALL, RUN, Result, Setting, SettingResult
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.qrels import read_qrels
from hybrid_ir.sources.formats.trec_run import TrecRun, best_first, read_run

log = logging.getLogger(__name__)
Qrels = Mapping[str, Mapping[str, int]]  # query -> passage -> grade
RUN_MEASURES = ("map", "ndcg@10", "recall@100", "rr@10")


def score_run(run_path: Path, qrels_path: Path, measures: Sequence[str] = RUN_MEASURES) -> Result:
    """Score a TREC run with TREC qrels; the result is named after the qrels file (`dev` for `dev.tsv`).

    A passage with grade 1 or higher is relevant. A relevant passage that is not in the run counts as not retrieved, and
    a query that is not in the run counts as zero. Queries without a relevant passage are left out with a warning, as in
    trec_eval.

    Raises:
        InputError: `read_run` or `read_qrels` rejects a file, the run has a query that is not in the qrels, or no query
            has a relevant passage.
        ValueError: a measure is unknown or compares languages, or is `ndcg` and the qrels have grades above 1.
    """
    parsed = [Measure.parse(name) for name in dict.fromkeys(measures)]
    run, qrels = read_run(run_path), _grades(qrels_path)
    for measure in parsed:
        if measure.compares_languages:
            raise ValueError(f"{measure.name} compares languages, which TREC files do not name")
        if measure.kind == "ndcg" and any(grade > 1 for judged in qrels.values() for grade in judged.values()):
            raise ValueError(f"{measure.name} is of binary relevance here, and {qrels_path} has grades above 1")
    unknown = run.keys() - qrels.keys()
    if unknown:
        fault = f"{len(unknown)} queries are not in {qrels_path}, such as {min(unknown)!r}; are these its qrels?"
        raise InputError(run_path, fault)
    answerable = [query for query, passages in qrels.items() if any(grade > 0 for grade in passages.values())]
    if not answerable:
        raise InputError(qrels_path, "no query has a relevant passage")
    if len(answerable) < len(qrels):
        log.warning("%d queries of %s have no relevant passage and no value", len(qrels) - len(answerable), qrels_path)
    lists = _ranks(run, qrels, answerable)
    entry = SettingResult(
        setting=Setting(RUN, ALL, ALL),
        queries=tuple(answerable),
        query_groups=np.arange(len(answerable)),
        values={measure: measure(lists) for measure in parsed if isinstance(measure, RankMeasure)},
    )
    return Result(
        benchmark=qrels_path.stem,
        languages=(),
        queries={ALL: len(answerable)},
        passages={},
        fingerprint=_fingerprint(qrels),
        settings=(entry,),
    )


def _ranks(run: TrecRun, qrels: Qrels, queries: Sequence[str]) -> RankLists:
    ranks: list[int] = []
    offsets = [0]
    for query in queries:
        relevant = {passage for passage, grade in qrels[query].items() if grade > 0}
        found = [rank for rank, passage in enumerate(best_first(run.get(query, {})), start=1) if passage in relevant]
        missing = range(NO_CUT + 1, NO_CUT + 1 + len(relevant) - len(found))
        ranks += [*found, *missing]
        offsets.append(len(ranks))
    return RankLists(offsets=np.array(offsets), ranks=np.array(ranks))


def _fingerprint(qrels: Qrels) -> str:
    judgements = sorted((query, passage, grade) for query, judged in qrels.items() for passage, grade in judged.items())
    return hashlib.sha256("\n".join("\t".join(map(str, judgement)) for judgement in judgements).encode()).hexdigest()


def _grades(path: Path) -> Qrels:
    qrels: dict[str, dict[str, int]] = {}
    for judgement in read_qrels(path):
        qrels.setdefault(judgement.query, {})[judgement.passage] = judgement.grade
    return qrels
