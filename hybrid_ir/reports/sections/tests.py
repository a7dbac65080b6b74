"""Section of significance tests: the differences between all pairs of arms."""

from itertools import groupby

from hybrid_ir.evaluation.results.comparison import MARKS
from hybrid_ir.reports.differences import ArmDifference
from hybrid_ir.reports.rendering.document import Block, Cell, Column, Fold, Heading, Section, Table, TextLine
from hybrid_ir.reports.rendering.numerals import chance, metric_title, number, share, span
from hybrid_ir.reports.study import Study

TITLE = "Are the differences real?"


def significance(study: Study) -> Section:
    """A table for each benchmark with pairs of arms as rows, followed by every test in full."""
    missing = []
    if study.untested and len(study.arms) > 1:
        labels = ", ".join(arm.label for arm in study.untested)
        missing.append(f"no test has {labels}: values of single queries (per_query.parquet) are missing")
    blocks: list[Block] = []
    for benchmark in study.benchmarks:
        found = study.differences[benchmark.name]
        if found:
            metrics = tuple(dict.fromkeys(each.metric for each in found))
            blocks.append(Heading(benchmark.name))
            blocks.append(_pairs(study, benchmark.name, metrics, found))
            blocks.append(Fold(f"Every test on {benchmark.name}", (_tests(benchmark.name, found),)))
    if not blocks and not missing:
        missing.append("there are no two arms to compare")
    return Section("significance", TITLE, tuple(blocks), tuple(missing))


def _pairs(study: Study, benchmark: str, metrics: tuple[str, ...], found: list[ArmDifference]) -> Table:
    order = {arm.label: position for position, arm in enumerate(study.arms)}
    several = any(each.paired > 1 for each in found)
    rows = []
    by_pair = sorted(found, key=lambda each: (order[each.first.label], order[each.second.label]))
    for position, (_, pair) in enumerate(groupby(by_pair, key=lambda each: (each.first.label, each.second.label))):
        members = {each.metric: each for each in pair}
        one = next(iter(members.values()))
        cells = tuple(_cell(members.get(metric), several) for metric in metrics)
        rows.append(TextLine((Cell(f"{one.second.label} − {one.first.label}", float(position)), *cells)))
    seeds = (
        " In brackets: on how many of the seeds that both arms have the difference has this sign; with few seeds that "
        "says little, and the tests do not speak for other seeds." if several
        else " No two arms share more than one seed: the tests do not speak for other seeds."
    )  # fmt: skip
    marks = ", ".join(f"{mark} p < {share(level, least=3)}" for level, mark in reversed(MARKS))
    return Table(
        f"Differences between arms on {benchmark}. Values of a question and its translations are averaged over the "
        "seeds that both arms have (over each arm's own where they share none); p from a paired randomisation test over"
        f" questions ({study.samples:,} random swaps), Holm-adjusted over all {len(found)} tests of this table: "
        f"{marks}.{seeds}",
        (Column("difference", numeric=False), *(Column(metric_title(metric)) for metric in metrics)),
        tuple(rows),
    )


def _tests(benchmark: str, found: list[ArmDifference]) -> Table:
    rows = []
    for position, each in enumerate(found):
        of = each.difference
        cells = (
            Cell(f"{each.second.label} − {each.first.label}", float(position)),
            Cell(metric_title(each.metric)),
            Cell(number(each.metric, of.value, signed=True), of.value),
            Cell(span(each.metric, (of.low, of.high), signed=True), of.low),
            Cell(chance(of.p), of.p),
            Cell(chance(each.p), each.p),
            Cell(chance(of.p_t), of.p_t),
            Cell(f"{of.wins} / {of.ties} / {of.losses}", of.wins),
            Cell(each.seeds, each.agreeing),
        )
        rows.append(TextLine(cells))
    return Table(
        f"Every test on {benchmark}: difference with its 95% percentile bootstrap interval over questions, p of the "
        "randomisation test, the same Holm-adjusted, p of a paired t-test (not adjusted), questions on which the "
        "difference is above, equal to and below zero, and seeds that agree with its sign.",
        (
            Column("difference", numeric=False), Column("metric", numeric=False), Column("value"),
            Column("95% interval"), Column("p"), Column("p, Holm"), Column("p, t-test"),
            Column("above / equal / below"), Column("seeds agree"),
        ),
        tuple(rows),
    )  # fmt: skip


def _cell(each: ArmDifference | None, several: bool) -> Cell:
    if each is None:
        return Cell("–")
    mark = next((mark for level, mark in MARKS if each.p < level), "")
    seeds = f" ({each.agreeing}/{each.paired})" if several and each.paired else ""
    return Cell(f"{number(each.metric, each.difference.value, signed=True)}{mark}{seeds}", each.difference.value)
