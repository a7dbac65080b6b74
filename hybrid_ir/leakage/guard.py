"""What is done about overlap: the run stops, the examples are left out, or a warning says so.

A training question that is an evaluation query is a leak. A passage that is in both pools is none by itself: it is what
the task lets everybody read, and corpora made of one encyclopedia share many; it is reported, and can be made a leak.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.utilities import rank_zero_only
from numpy.typing import NDArray

from hybrid_ir.data.corpus import ParallelCorpus, Side
from hybrid_ir.evaluation.benchmarks.benchmark import EvaluationSet
from hybrid_ir.leakage.evaluation_texts import evaluation_texts
from hybrid_ir.leakage.verdict import SIDES, Overlap, counts, overlaps_of, record
from hybrid_ir.sources.atomic import replacing

log = logging.getLogger(__name__)

POLICIES = STOP, DROP, IGNORE = "stop", "drop", "ignore"
KEYS: dict[Side, str] = {"question": "data.on_leakage", "passage": "data.on_shared_passages"}
REPORT = "leakage.json"  # in the run's folder, where anything was found
_SHOWN = 3  # examples in a message


@dataclass(frozen=True)
class Guarded:
    """The corpora to train on, and what was found in those that were given.

    Attributes:
        corpora: without the examples that were dropped.
        overlaps: everything that was found.
        removed: corpus -> ids of the dropped examples.
    """

    corpora: list[ParallelCorpus]
    overlaps: list[Overlap]
    removed: dict[str, list[str]]

    @property
    def summary(self) -> dict[str, Any]:
        """Counts of what was found and removed, for a run's provenance."""
        return {"found": counts(self.overlaps), "removed": {name: len(ids) for name, ids in self.removed.items()}}


def guard(
    corpora: Sequence[ParallelCorpus],
    benchmarks: Sequence[EvaluationSet],
    policies: Mapping[Side, str],
    cache_dir: str | Path,
    report: Path,
) -> Guarded:
    """Compare the training corpora with the evaluation sets, and act on what is found.

    `drop` removes an example in all its languages where its question (passage) is a copy in any of them, and with it
    the examples whose question (passage) is of the same group: a translation of an evaluation query is the query.
    Hard negatives stay. The result is a pure function of corpora, benchmarks and policies.

    Args:
        corpora: whole corpora.
        benchmarks: every evaluation set.
        policies: side -> `stop`, `drop` or `ignore`.
        cache_dir: where verdicts are kept.
        report: file for what was found and removed, written by the first process where there is any, also where the
            run stops.

    Raises:
        ValueError: there is overlap on a side whose policy is `stop`; or every example of a corpus would be dropped.
    """
    if not benchmarks:
        return Guarded(list(corpora), [], {})
    for benchmark in benchmarks:
        if not benchmark.in_memory:
            log.warning(
                "the passages of %s are not compared with the training corpora, its queries are", benchmark.name
            )
    texts = {side: evaluation_texts(benchmarks, side) for side in SIDES}
    found = [overlaps_of(corpus, texts, cache_dir) for corpus in corpora]
    overlaps = [overlap for part in found for overlap in part]
    if overlaps:  # before a policy may stop the run: who is to mend the corpus needs all of them
        rank_zero_only(_write)(report, overlaps, {})
    for side in SIDES:
        _act(side, policies[side], [overlap for overlap in overlaps if overlap.side == side], report)
    dropped = [side for side in SIDES if policies[side] == DROP]
    kept = [_kept(corpus, part, dropped) for corpus, part in zip(corpora, found, strict=True)]
    pairs = list(zip(corpora, kept, strict=True))
    removed = {corpus.name: corpus.example_ids(np.flatnonzero(~rows)) for corpus, rows in pairs if not rows.all()}
    if removed:
        rank_zero_only(_write)(report, overlaps, removed)
    return Guarded([_part(corpus, rows) for corpus, rows in pairs], overlaps, removed)


def _act(side: Side, policy: str, overlaps: Sequence[Overlap], report: Path) -> None:
    if not overlaps:
        return
    table = "\n".join(f"  {line}" for line in [*map(_line, counts(overlaps)), *_examples(overlaps)])
    if policy == STOP:
        raise ValueError(
            f"{side}s of evaluation sets are in the training corpora: that is no zero-shot evaluation.\n{table}\n"
            f"All of them are in {report}. Train or evaluate on other data; or leave these examples out of training "
            f"with {KEYS[side]}=drop; or let them be, and call the result what it is, with {KEYS[side]}=ignore "
            "(docs/leakage.md)"
        )
    what = "their examples are left out of training" if policy == DROP else f"they stay ({KEYS[side]}=ignore)"
    log.warning("%ss of evaluation sets are in the training corpora; %s\n%s", side, what, table)


def _line(entry: Mapping[str, str | int]) -> str:
    place = "{corpus} and {benchmark}, {language}, {side}s, {kind}".format(**entry)
    answers = " ({answers} of them answer a query)".format(**entry) if entry["side"] == "passage" else ""
    return f"{place}: {entry['training']} in training, {entry['evaluation']} in evaluation{answers}"


def _examples(overlaps: Sequence[Overlap]) -> list[str]:
    """The first of each corpus, benchmark and kind, so that every reason is seen."""
    first: dict[tuple[str, str, str], Overlap] = {}
    for overlap in overlaps:
        first.setdefault((overlap.corpus, overlap.benchmark, overlap.kind), overlap)
    shown = [*first.values(), *(overlap for overlap in overlaps if overlap not in first.values())]
    return [f"such as {overlap}" for overlap in shown[: max(_SHOWN, len(first))]]


def _kept(corpus: ParallelCorpus, overlaps: Sequence[Overlap], sides: Sequence[Side]) -> NDArray[np.bool_]:
    """bool (examples,): which ones have no copy, nor the content of one, on any of the sides."""
    kept = np.ones(len(corpus), dtype=np.bool_)
    for side in sides:
        rows = np.unique(np.array([overlap.row for overlap in overlaps if overlap.side == side], dtype=np.int64))
        if len(rows):
            groups = corpus.contents(side).groups
            kept &= ~np.isin(groups[corpus.content_rows(side)], groups[rows])
    if not kept.any():
        raise ValueError(
            f"every example of corpus {corpus.name} would be dropped: it is (a copy of) an evaluation set. Train on "
            "other data, or evaluate on other data"
        )
    return kept


def _part(corpus: ParallelCorpus, kept: NDArray[np.bool_]) -> ParallelCorpus:
    return corpus if kept.all() else corpus.select(np.flatnonzero(kept))


def _write(path: Path, overlaps: Sequence[Overlap], removed: Mapping[str, Sequence[str]]) -> None:
    content = {"version": 1, "counts": counts(overlaps), "removed": removed, "overlaps": record(overlaps)}
    with replacing(path) as draft:
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
