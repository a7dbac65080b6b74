"""Sections by language: results by query language, as in the paper's tables, and heat maps of language pairs."""

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL
from hybrid_ir.evaluation.measures.measures import badness
from hybrid_ir.reports.arms import Arm
from hybrid_ir.reports.paper import published, published_languages
from hybrid_ir.reports.rendering.document import (
    Block,
    Cell,
    Column,
    Figure,
    Fold,
    Heading,
    Panel,
    Section,
    Table,
    TextLine,
    anchor,
)
from hybrid_ir.reports.rendering.numerals import lower_is_better, measure_title, metric_title, number, share
from hybrid_ir.reports.rendering.plots import heat_map
from hybrid_ir.reports.sections.cells import name_cell, paper_cell, value_cell, with_note
from hybrid_ir.reports.study import EvaluatedBenchmark, Study

Values = dict[str, float]


def languages(study: Study) -> Section:
    """A table for each benchmark and headline metric, with query languages as columns."""
    blocks: list[Block] = []
    missing = []
    for benchmark in study.benchmarks:
        tables = [table for metric in benchmark.headline if (table := _table(study, benchmark, metric)) is not None]
        if tables:
            blocks.extend([Heading(benchmark.name), *tables])
        else:
            missing.append(f"the results on {benchmark.name} are not broken down by language")
    return Section("languages", "By query language", tuple(blocks), tuple(missing))


def by_language(study: Study, arm: Arm, benchmark: EvaluatedBenchmark, metric: str) -> Values:
    """An arm's value for each query language; in the cross-lingual setting, the mean over passage languages."""
    values = {}
    for language in benchmark.languages:
        names = [f"{metric}/{language}"]
        if f"/{CROSSLINGUAL}/" in metric:
            names = [f"{metric}/{language}-{pool}" for pool in benchmark.languages if pool != language]
        found = study.mean(arm, names)
        if found is not None:
            values[language] = found
    return values


def _table(study: Study, benchmark: EvaluatedBenchmark, metric: str) -> Table | None:
    ours = [(arm, values) for arm in study.arms if (values := by_language(study, arm, benchmark, metric))]
    if not ours:
        return None
    systems = [system for system in published(benchmark.name) if metric in system.values]
    papers = set(published_languages(benchmark.name))
    if f"/{MONOLINGUAL}/" not in metric and papers != set(benchmark.languages):
        systems = []  # the paper's means are over other passage languages
    fewer = bool(systems) and papers < set(benchmark.languages)  # a mean over the paper's languages can be compared
    rows = []
    for arm, values in ours:
        cells = (
            value_cell(metric, values.get(language), _is_best(metric, values, ours, language))
            for language in benchmark.languages
        )
        means = [value_cell(metric, study.mean(arm, [metric]))]
        if fewer:
            means.append(
                value_cell(metric, fmean(values[code] for code in papers) if papers <= values.keys() else None)
            )
        rows.append(TextLine((name_cell(study, arm), *cells, *means)))
    for position, system in enumerate(systems):
        quoted = system.values[metric]
        cells = (value_cell(metric, quoted.get(language)) for language in benchmark.languages)
        means = [value_cell(metric, system.macro(metric) if papers == set(benchmark.languages) else None)]
        if fewer:
            means.append(value_cell(metric, system.macro(metric)))
        rows.append(TextLine((paper_cell(study, system, position), *cells, *means), quoted=True))
    searched = ", mean over the languages searched" if f"/{CROSSLINGUAL}/" in metric else ""
    unit = " (ranks; lower is better)" if lower_is_better(metric) else ""
    title = metric_title(metric)
    caption = f"{title[0].upper()}{title[1:]}{unit} on {benchmark.name} by query language{searched}."
    averages = [Column("mean"), *([Column(f"mean over the paper's {len(papers)}")] if fewer else [])]
    return Table(
        with_note(study, caption, rows, spread=False),
        (Column("arm", numeric=False), *(Column(language) for language in benchmark.languages), *averages),
        tuple(rows),
    )


def _is_best(metric: str, values: Values, ours: Sequence[tuple[Arm, Values]], language: str) -> bool:
    """Whether an arm has the best value for a language among several arms; compared as rounded."""
    found = [others[language] for _, others in ours if language in others]
    if len(found) < 2 or language not in values:
        return False
    best = min(found, key=partial(badness, metric))
    return number(metric, values[language]) == number(metric, best)


Matrix = Sequence[Sequence[float | None]]


def heat(study: Study) -> Section:
    """For every benchmark, the heat map of the best arm, and those of the other arms folded."""
    blocks: list[Block] = []
    missing = []
    for benchmark in study.benchmarks:
        metric = next((name for name in benchmark.headline if f"/{CROSSLINGUAL}/" in name), None)
        if metric is None:
            missing.append(f"{benchmark.name} has no cross-lingual setting")
            continue
        hardest = [name for name in benchmark.headline if not lower_is_better(name)][-1]
        arms = [arm for arm in study.ranked(hardest) if study.estimate(arm, metric) is not None]
        if not arms:
            missing.append(f"no arm has cross-lingual results on {benchmark.name} in all of its runs")
            continue
        first, *others = arms
        blocks.extend([Heading(benchmark.name), _figure(study, benchmark, metric, first, hardest)])
        if others:
            figures = tuple(_figure(study, benchmark, metric, arm) for arm in others)
            blocks.append(Fold(f"The other arms on {benchmark.name}", figures))
    return Section("pairs", "Pairs of languages", tuple(blocks), tuple(missing))


def matrix_figure(
    name: str, title: str, caption: str, languages: Sequence[str], values: Matrix, columns: str
) -> Figure:
    """A matrix by query language as a heat map, with its numbers as a table."""
    svg = heat_map(name, title, languages, languages, values, share, "query language", columns)
    rows = tuple(
        TextLine((Cell(asked), *(value_cell(title, value) for value in line)))
        for asked, line in zip(languages, values, strict=True)
    )
    head = (Column("query language", numeric=False), *(Column(language, columns) for language in languages))
    return Figure(name, caption, (Panel(title, svg),), Table(f"The numbers of the plot: {title}.", head, rows))


def _figure(study: Study, benchmark: EvaluatedBenchmark, metric: str, arm: Arm, chosen_by: str | None = None) -> Figure:
    measure = measure_title(metric)
    own = f"{benchmark.name}/{MONOLINGUAL}/{metric.rpartition('/')[2]}"

    def value(asked: str, searched: str) -> float | None:
        return study.mean(arm, [f"{own}/{asked}" if asked == searched else f"{metric}/{asked}-{searched}"])

    values = [[value(asked, searched) for searched in benchmark.languages] for asked in benchmark.languages]
    best = f" This is the arm with the best {metric_title(chosen_by)}." if chosen_by and len(study.arms) > 1 else ""
    over = "; means over seeds" if arm.seeds > 1 else ""
    caption = (
        f"{measure} of {arm.label} on {benchmark.name}: query languages (rows) in the passages of one language "
        f"(columns); the diagonal is the monolingual setting{over}. Shades run from the lowest to the highest value."
        f"{best}"
    )
    name = anchor("pairs", benchmark.name, str(study.arms.index(arm) + 1))
    return matrix_figure(
        name, f"{measure} by pair of languages, {arm.label}", caption, benchmark.languages, values, "passage language"
    )
