"""Section on language bias: all its measures, and the passage languages that each query language finds."""

from hybrid_ir.evaluation.measures.definitions.language_bias import LanguageShare
from hybrid_ir.evaluation.measures.measures import Direction, Measure, kinds
from hybrid_ir.reports.paper import published, published_languages
from hybrid_ir.reports.rendering.document import Block, Column, Heading, Section, Table, TextLine, anchor
from hybrid_ir.reports.rendering.numerals import measure_title, metric_title
from hybrid_ir.reports.sections.by_language_section import matrix_figure
from hybrid_ir.reports.sections.cells import estimate_cell, name_cell, paper_cell, value_cell, with_note
from hybrid_ir.reports.study import EvaluatedBenchmark, Study


def bias(study: Study) -> Section:
    """A table for each benchmark, and a matrix of language shares for the best arm if they were measured."""
    blocks: list[Block] = []
    missing = []
    for benchmark in study.benchmarks:
        found: list[Block] = [_table(study, benchmark)] if benchmark.bias else []
        found.extend(_shares(study, benchmark))
        if found:
            blocks.extend([Heading(benchmark.name), *found])
        else:
            missing.append(f"no measure of language bias was taken on {benchmark.name}")
    return Section("bias", "Language bias", tuple(blocks), tuple(missing))


def _table(study: Study, benchmark: EvaluatedBenchmark) -> Table:
    shown = dict.fromkeys(kinds()[Measure.parse(metric.rpartition("/")[2]).kind] for metric in benchmark.bias)
    rows = []
    for arm in study.arms:
        estimates = [study.estimate(arm, metric) for metric in benchmark.bias]
        if any(estimates):
            cells = (estimate_cell(*pair) for pair in zip(benchmark.bias, estimates, strict=True))
            rows.append(TextLine((name_cell(study, arm), *cells)))
    quoted = published(benchmark.name) if set(published_languages(benchmark.name)) == set(benchmark.languages) else ()
    for position, system in enumerate(quoted):
        values = [value_cell(metric, system.macro(metric)) for metric in benchmark.bias]
        if any(cell.key is not None for cell in values):
            rows.append(TextLine((paper_cell(study, system, position), *values), quoted=True))
    scales = "; ".join(f"{each.short} ({each.scale})" for each in shown if each.scale)
    caption = (
        f"Measures of language bias in the pool of all languages of {benchmark.name}, means over query languages: "
        f"{scales}."
    )
    return Table(
        with_note(study, caption, rows),
        (Column("arm", numeric=False), *(Column(measure_title(metric)) for metric in benchmark.bias)),
        tuple(rows),
    )


def _shares(study: Study, benchmark: EvaluatedBenchmark) -> list[Block]:
    """For every cut-off of the shares, a matrix of query by passage languages, of the least biased arm."""
    cutoffs = {
        measure.cutoff: None
        for metric in benchmark.macro
        if (measure := Measure.parse(metric.rpartition("/")[2])).kind == LanguageShare.kind
    }
    directed = [
        metric
        for metric in benchmark.bias
        if Measure.parse(metric.rpartition("/")[2]).direction is not Direction.NEITHER
    ]
    chosen_by = directed[0] if directed else benchmark.headline[-1]
    blocks: list[Block] = []
    for cutoff in cutoffs:
        names = {language: LanguageShare(cutoff, language).name for language in benchmark.languages}
        for arm in study.ranked(chosen_by)[:1]:
            values = [
                [study.mean(arm, [f"{benchmark.name}/{names[found]}/{asked}"]) for found in benchmark.languages]
                for asked in benchmark.languages
            ]
            if all(value is None for line in values for value in line):
                continue
            caption = (
                f"Share of each passage language among the first {cutoff} passages, by query language; {arm.label} on "
                f"{benchmark.name}, the arm with the best {metric_title(chosen_by)}."
            )
            title = f"language shares on {benchmark.name}"
            name = anchor("shares", benchmark.name, str(cutoff))
            blocks.append(matrix_figure(name, title, caption, benchmark.languages, values, "passage language"))
    return blocks
