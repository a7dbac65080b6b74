"""Section on seen and unseen languages: results in the languages of the training data, and in others."""

from collections.abc import Mapping, Sequence

import numpy as np

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL
from hybrid_ir.reports.arms import UNTRAINED, Arm
from hybrid_ir.reports.paper import published_unseen
from hybrid_ir.reports.rendering.document import Block, Cell, Column, Heading, Section, Table, TextLine
from hybrid_ir.reports.rendering.numerals import metric_title
from hybrid_ir.reports.sections.cells import name_cell, value_cell, with_note
from hybrid_ir.reports.study import EvaluatedBenchmark, Study
from hybrid_ir.sampling.policy import MIXED, MONOLINGUAL
from hybrid_ir.sampling.weights import LanguageWeights

SEEN, UNSEEN = "seen", "unseen"
GROUPS = (SEEN, UNSEEN)
PAIRS = ("both seen", "one unseen", "both unseen")


def seen(study: Study) -> Section:
    """A table for each benchmark, of the arms that were trained on some of its languages and not on others."""
    blocks: list[Block] = []
    known = {arm.label: languages for arm in study.arms if (languages := training_languages(arm))}
    untrained = [arm for arm in study.arms if arm.sampler == UNTRAINED]
    for benchmark in study.benchmarks:
        splits: dict[frozenset[str], list[Arm]] = {}
        for arm in study.arms:
            unseen = frozenset(benchmark.languages) - known.get(arm.label, set(benchmark.languages))
            if unseen:
                splits.setdefault(unseen, list(untrained)).append(arm)
        if splits:
            blocks.extend([Heading(benchmark.name), _table(study, benchmark, splits)])
    if blocks:
        return Section("seen", "Seen and unseen languages", tuple(blocks))
    reason = (
        "every language of the benchmarks is in the training data" if known
        else "the runs do not say which languages they were trained on"
    )  # fmt: skip
    return Section("seen", "Seen and unseen languages", (), (reason,))


def training_languages(arm: Arm) -> set[str]:
    """The languages of an arm's training pairs; empty if its runs do not record them.

    They are those of the corpora, or of the configuration if a run does not record its corpora; a language whose pairs
    all have weight 0 in the sampler is left out.
    """
    found: set[str] = set()
    for run in arm.runs:
        for corpus in (run.results.provenance.get("corpora") or {}).values():
            found |= set(corpus.get("languages") or ())
    chosen = [(arm.config.get(part) or {}).get("languages") for part in ("data", "sampler")]
    for languages in chosen:
        if languages:
            found = found & set(languages) if found else set(languages)
    return found - _never_drawn(arm, sorted(found))


def _never_drawn(arm: Arm, languages: list[str]) -> set[str]:
    """Languages whose pairs all have weight 0 in the sampler."""
    sampler = arm.config.get("sampler") or {}
    chosen = {key: value for key, value in (sampler.get("weights") or {}).items() if key != "_target_"}
    size = len(languages)
    weights = LanguageWeights(**chosen).of(languages, np.ones((size, size), np.int64))
    if sampler.get("kind") in (MONOLINGUAL, MIXED):
        weights = np.diag(np.diag(weights))
    totals = weights.sum(axis=0) + weights.sum(axis=1)
    return {language for language, total in zip(languages, totals, strict=True) if not total}


def _table(study: Study, benchmark: EvaluatedBenchmark, splits: Mapping[frozenset[str], Sequence[Arm]]) -> Table:
    """Arms grouped by their unseen languages, each group after the untrained arms."""
    columns, rows = [], []
    for metric in benchmark.headline:
        groups = PAIRS if f"/{CROSSLINGUAL}/" in metric else GROUPS
        columns.extend([Column(group, metric_title(metric)) for group in groups])
    for unseen, arms in splits.items():
        listed = Cell(", ".join(language for language in benchmark.languages if language in unseen))
        for arm in arms:
            values = [
                value_cell(metric, study.mean(arm, names))
                for metric in benchmark.headline
                for names in _members(benchmark, metric, unseen)
            ]
            rows.append(TextLine((name_cell(study, arm), listed, *values)))
    caption = (
        f"{benchmark.name} by whether a language is in the training data: in the cross-lingual setting both languages "
        "of a pair count, otherwise the query language (the multilingual pool holds all languages). Languages differ "
        "in difficulty, so compare arms that have the same unseen languages, not columns."
    )
    if papers := published_unseen(benchmark.name):
        caption += f" In the paper (arXiv:2408.10536), the unseen languages are {', '.join(papers)}."
    return Table(
        with_note(study, caption, rows, spread=False),
        (Column("arm", numeric=False), Column("unseen languages", numeric=False), *columns),
        tuple(rows),
    )


def _members(benchmark: EvaluatedBenchmark, metric: str, unseen: frozenset[str]) -> list[list[str]]:
    """The names of metrics for each group of languages."""
    if f"/{CROSSLINGUAL}/" not in metric:
        return [
            [f"{metric}/{language}" for language in benchmark.languages if (language in unseen) == (group == UNSEEN)]
            for group in GROUPS
        ]
    pairs = [(a, b) for a in benchmark.languages for b in benchmark.languages if a != b]
    return [
        [f"{metric}/{a}-{b}" for a, b in pairs if (a in unseen) + (b in unseen) == count] for count in range(len(PAIRS))
    ]
