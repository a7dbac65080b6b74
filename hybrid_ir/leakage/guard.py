"""The leakage policy: on overlap with an evaluation set, stop the run, drop the examples, or only warn.

A training question that is also an evaluation query is a leak. A passage in both pools is not a leak by itself: anyone
may read it in the task, and corpora built from the same encyclopedia share many passages. It is reported, and can be
treated as a leak.
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
from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet
from hybrid_ir.leakage.evaluation_texts import evaluation_texts
from hybrid_ir.leakage.overlaps import SIDES, Overlap, counts, overlaps_of, record
from hybrid_ir.sources.atomic import replacing

log = logging.getLogger(__name__)

POLICIES = STOP, DROP, IGNORE = "stop", "drop", "ignore"
KEYS: dict[Side, str] = {"question": "data.on_leakage", "passage": "data.on_shared_passages"}
REPORT = "leakage.json"  # in the run's folder, if anything was found
_SHOWN = 3  # examples in a message


@dataclass(frozen=True)
class Guarded:
    """The corpora to train on, and the overlaps that were found in the original ones.

    Attributes:
        corpora: the corpora, without the dropped examples.
        overlaps: all overlaps.
        removed: corpus name -> ids of the dropped examples.
    """

    corpora: list[ParallelCorpus]
    overlaps: list[Overlap]
    removed: dict[str, list[str]]

    @property
    def summary(self) -> dict[str, Any]:
        """Numbers of overlaps and dropped examples, for a run's provenance."""
        return {"found": counts(self.overlaps), "removed": {name: len(ids) for name, ids in self.removed.items()}}


def guard(
    corpora: Sequence[ParallelCorpus],
    benchmarks: Sequence[EvaluationSet],
    policies: Mapping[Side, str],
    cache_dir: str | Path,
    report: Path,
) -> Guarded:
    """Compare the training corpora with the evaluation sets, and apply the policies to the overlaps.

    `drop` removes an example in all its languages if its question (passage) is a copy in any of them. It also removes
    all examples whose question (passage) is in the same content group, since a translation of an evaluation query is
    still that query. Hard negatives stay. The result is a pure function of corpora, benchmarks and policies.

    Args:
        corpora: the training corpora, before examples are held out.
        benchmarks: all evaluation sets.
        policies: side -> `stop`, `drop` or `ignore`.
        cache_dir: folder for cached comparisons.
        report: file for overlaps and removed examples. The first process writes it if there are any, even if the run
            stops.

    Raises:
        ValueError: there is an overlap on a side whose policy is `stop`, or every example of a corpus would be dropped.
    """
    if not benchmarks:
        return Guarded(list(corpora), [], {})
    for benchmark in benchmarks:
        if not benchmark.in_memory:
            log.warning(
                "only the queries of %s are compared with the training corpora, not its passages", benchmark.name
            )
    texts = {side: evaluation_texts(benchmarks, side) for side in SIDES}
    found = [overlaps_of(corpus, texts, cache_dir) for corpus in corpora]
    overlaps = [overlap for part in found for overlap in part]
    if overlaps:  # written before a policy stops the run, since fixing the corpus needs the full list
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
            f"{side}s of evaluation sets are in the training corpora: this is not a zero-shot evaluation.\n{table}\n"
            f"The full list is in {report}. Train or evaluate on other data, drop these examples from training with "
            f"{KEYS[side]}=drop, or keep them with {KEYS[side]}=ignore and do not report the result as zero-shot "
            "(docs/leakage.md)"
        )
    what = "their examples are dropped" if policy == DROP else f"they are kept ({KEYS[side]}=ignore)"
    log.warning("%ss of evaluation sets are in the training corpora; %s\n%s", side, what, table)


def _line(entry: Mapping[str, str | int]) -> str:
    pair = "{corpus} and {benchmark}, {language}, {side}s, {kind}".format(**entry)
    answers = " ({answers} of them answer a query)".format(**entry) if entry["side"] == "passage" else ""
    return f"{pair}: {entry['training']} in training, {entry['evaluation']} in evaluation{answers}"


def _examples(overlaps: Sequence[Overlap]) -> list[str]:
    """The first overlap of each corpus, benchmark and kind, so that every reason is shown."""
    first: dict[tuple[str, str, str], Overlap] = {}
    for overlap in overlaps:
        first.setdefault((overlap.corpus, overlap.benchmark, overlap.kind), overlap)
    shown = [*first.values(), *(overlap for overlap in overlaps if overlap not in first.values())]
    return [f"such as {overlap}" for overlap in shown[: max(_SHOWN, len(first))]]


def _kept(corpus: ParallelCorpus, overlaps: Sequence[Overlap], sides: Sequence[Side]) -> NDArray[np.bool_]:
    """bool (examples,): whether an example shares no content group with a copy on any of the sides."""
    kept = np.ones(len(corpus), dtype=np.bool_)
    for side in sides:
        rows = np.unique(np.array([overlap.row for overlap in overlaps if overlap.side == side], dtype=np.int64))
        if len(rows):
            groups = corpus.contents(side).groups
            kept &= ~np.isin(groups[corpus.content_rows(side)], groups[rows])
    if not kept.any():
        raise ValueError(
            f"every example of corpus {corpus.name} would be dropped, since it is (a copy of) an evaluation set; "
            "train or evaluate on other data"
        )
    return kept


def _part(corpus: ParallelCorpus, kept: NDArray[np.bool_]) -> ParallelCorpus:
    return corpus if kept.all() else corpus.select(np.flatnonzero(kept))


def _write(path: Path, overlaps: Sequence[Overlap], removed: Mapping[str, Sequence[str]]) -> None:
    content = {"version": 1, "counts": counts(overlaps), "removed": removed, "overlaps": record(overlaps)}
    with replacing(path) as draft:
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
