"""Section of headline results: macro averages of every arm and of the paper, in the layout of its Tables 1 and 2."""

from collections.abc import Callable, Sequence

from hybrid_ir.reports.paper import PublishedSystem, published, published_languages
from hybrid_ir.reports.rendering.document import Block, Cell, Column, Section, Table, TextLine
from hybrid_ir.reports.rendering.numerals import lower_is_better, measure_title, metric_title
from hybrid_ir.reports.sections.cells import estimate_cell, is_best, name_cell, paper_cell, value_cell, with_note
from hybrid_ir.reports.study import LANG_NDCG, EvaluatedBenchmark, Study

LANG_NDCG_TITLE = measure_title(LANG_NDCG)
SHORT = {"monolingual": "Mo.", "crosslingual": "Cr.", "multilingual": "Mul."}
Measured = Sequence[tuple[EvaluatedBenchmark, str]]


def headline(study: Study) -> Section:
    """Effectiveness in the three settings, language bias, and further measures."""
    everything = [(benchmark, metric) for benchmark in study.benchmarks for metric in benchmark.headline]
    quality = [(benchmark, metric) for benchmark, metric in everything if not lower_is_better(metric)]
    distance = [(benchmark, metric) for benchmark, metric in everything if lower_is_better(metric)]
    other = [(b, metric) for b in study.benchmarks for metric in b.other if metric not in b.bias]
    blocks: list[Block] = []
    if quality:
        measures = " and ".join(dict.fromkeys(measure_title(metric) for _, metric in quality))
        caption = (
            f"{measures}, macro averages over languages: monolingual (Mo.), cross-lingual (Cr.) and multilingual "
            "(Mul., one pool of all languages)."
        )
        blocks.append(_table(study, caption, quality, _short_title))
    if distance:
        caption = (
            "Rank distance in the pool of all languages: ranks between a question's worst- and best-ranked relevant "
            "passage. Lower means less language bias."
        )
        blocks.append(_table(study, caption, distance, measure_title))
    if other:
        caption = "Further measures, macro averages over languages."
        if any(measure_title(metric).startswith(LANG_NDCG_TITLE) for _, metric in other):
            caption += (
                f" {LANG_NDCG_TITLE}: nDCG with gain 2 for a relevant passage in the query's language, 1 in another."
            )
        blocks.append(_table(study, caption, other, metric_title))
    return Section("headline", "Averages over languages", tuple(blocks))


def _table(study: Study, caption: str, metrics: Measured, title: Callable[[str], str]) -> Table:
    names = [metric for _, metric in metrics]
    rows = []
    for arm in study.arms:
        estimates = [study.estimate(arm, name) for name in names]
        if any(estimates):
            values = (
                estimate_cell(name, estimate, is_best(study, arm, name))
                for name, estimate in zip(names, estimates, strict=True)
            )
            rows.append(TextLine((name_cell(study, arm), Cell(str(arm.seeds), float(arm.seeds)), *values)))
    for position, systems in enumerate(_published(metrics)):
        values = (value_cell(m, systems[b.name].macro(m) if b.name in systems else None) for b, m in metrics)
        first = paper_cell(study, next(iter(systems.values())), position)
        rows.append(TextLine((first, Cell("–"), *values), quoted=True))
    columns = (Column(title(metric), group=benchmark.name) for benchmark, metric in metrics)
    return Table(
        with_note(study, caption, rows),
        (Column("arm", numeric=False), Column("runs"), *columns),
        tuple(rows),
    )


def _published(metrics: Measured) -> list[dict[str, PublishedSystem]]:
    """The paper's systems with a value of any of the metrics, for each row: benchmark -> system."""
    rows: dict[str, dict[str, PublishedSystem]] = {}
    for benchmark, metric in metrics:
        if set(published_languages(benchmark.name)) != set(benchmark.languages):
            continue  # means over different languages are not comparable
        for system in published(benchmark.name):
            if metric in system.values:
                rows.setdefault(system.label, {})[benchmark.name] = system
    return list(rows.values())


def _short_title(metric: str) -> str:
    setting = metric.split("/")[1]
    return SHORT.get(setting, setting)
