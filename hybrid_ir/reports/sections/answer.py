"""Section "In short": the best arm by each headline metric, and whether its lead is significant."""

from hybrid_ir.evaluation.results.comparison import LEVEL
from hybrid_ir.reports.differences import ArmDifference, mean_difference
from hybrid_ir.reports.rendering.document import Block, Cell, Column, Heading, Section, Table, TextLine
from hybrid_ir.reports.rendering.numerals import chance, metric_title, number, share
from hybrid_ir.reports.sections.cells import estimate_cell
from hybrid_ir.reports.sections.tests import TITLE
from hybrid_ir.reports.study import EvaluatedBenchmark, Study


def answer(study: Study) -> Section:
    """The best and the second best arm by every headline metric."""
    if len(study.arms) < 2:
        return Section("answer", "In short", (), ("there is only one arm, and nothing to compare it with",))
    blocks: list[Block] = []
    for benchmark in study.benchmarks:
        rows = [row for metric in benchmark.headline if (row := _row(study, benchmark, metric)) is not None]
        if rows:
            blocks.extend([Heading(benchmark.name), _table(benchmark, rows)])
    missing = () if blocks else ("no two arms were evaluated by the same metric",)
    return Section("answer", "In short", tuple(blocks), missing)


def _table(benchmark: EvaluatedBenchmark, rows: list[TextLine]) -> Table:
    return Table(
        f"The best arm by each measure on {benchmark.name}, and its lead over the second best on the seeds that both "
        "have (on each arm's own where they share none). p says whether the lead would hold for other questions "
        f"(adjusted, see “{TITLE}”; at {share(LEVEL, least=2)} or more it may be chance). Seeds: on how many of those "
        "that both arms have the lead is there at all.",
        (
            Column("measure", numeric=False),
            Column("best", numeric=False),
            Column("value"),
            Column("second best", numeric=False),
            Column("value"),
            Column("lead"),
            Column("p"),
            Column("seeds"),
            Column("verdict", numeric=False),
        ),
        tuple(rows),
    )


def _row(study: Study, benchmark: EvaluatedBenchmark, metric: str) -> TextLine | None:
    ranked = study.ranked(metric)
    if len(ranked) < 2:
        return None
    first, second = ranked[:2]
    best, next_best = study.estimate(first, metric), study.estimate(second, metric)
    assert best is not None and next_best is not None, "ranked arms have the metric"
    lead = mean_difference(second, first, metric)
    assert lead is not None, "ranked arms have the metric in every run"
    pair = {first.label, second.label}
    tested = next(
        (
            found
            for found in study.differences[benchmark.name]
            if found.metric == metric and {found.first.label, found.second.label} == pair
        ),
        None,
    )
    return TextLine(
        (
            Cell(metric_title(metric), float(benchmark.headline.index(metric))),
            Cell(first.label),
            estimate_cell(metric, best, best=True),
            Cell(second.label),
            estimate_cell(metric, next_best),
            Cell(number(metric, lead, signed=True), lead),
            Cell("–") if tested is None else Cell(chance(tested.p), tested.p),
            Cell("–") if tested is None else Cell(tested.seeds, tested.agreeing),
            Cell(_verdict(tested) if lead * (best.mean - next_best.mean) >= 0 else "not on the seeds of both"),
        )
    )


def _verdict(tested: ArmDifference | None) -> str:
    if tested is None:
        return "not tested"
    if tested.p >= LEVEL:
        return "may be chance"
    if not tested.paired:
        return "more than chance; no seed in common"
    return "more than chance" if tested.agreeing == tested.paired else "seeds disagree"


def introduction(study: Study) -> str:
    """The subject of the report in two sentences."""
    runs, arms = sum(arm.seeds for arm in study.arms), len(study.arms)
    names = " and ".join(benchmark.name for benchmark in study.benchmarks)
    return (
        f"{runs} run{'s' if runs > 1 else ''} in {arms} arm{'s' if arms > 1 else ''}, evaluated on {names}. "
        "An arm is a set of runs that differ by the random seed alone."
    )
