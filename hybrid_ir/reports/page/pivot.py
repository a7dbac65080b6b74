"""Pivot tables: configurations as rows, the values of one option as columns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hybrid_ir.reports.arms import Arm, Settings, class_around, differing, identity, option, settings_of, value
from hybrid_ir.reports.differences import arm_differences, mean_difference
from hybrid_ir.reports.page.markers import Marker
from hybrid_ir.reports.page.page_parts import PartOfStudy, chosen_arms, chosen_benchmarks, metric_of
from hybrid_ir.reports.rendering.document import Cell, Column, Table, TextLine
from hybrid_ir.reports.rendering.numerals import metric_title, number, span
from hybrid_ir.reports.sections.cells import estimate_cell, is_best
from hybrid_ir.reports.study import Study

COMMON = "common settings"
Row = dict[str, Arm]  # value of the option -> arm


def pivot_table(marker: Marker, study: Study) -> Table:
    """A table in which arms that differ only in the option `across=` share a row, named by its unusual settings.

    With `minus=VALUE` of that option, cells are differences from the row's arm with that value, on the seeds that both
    have, with intervals over questions.

    Raises:
        InputError: an arm lacks the option, or an option, value or metric is missing or unknown.
    """
    benchmarks, arms = chosen_benchmarks(marker, study), chosen_arms(marker, study)
    key = marker.needed("across")
    marker.needed("metrics")
    names = [metric_of(marker, study, each, name) for each in benchmarks for name in marker.listed("metrics")]
    rows, common = _named(_rows(marker, arms, key))
    values = sorted({each for _, row in rows for each in row}, key=_natural)
    parts = [PartOfStudy(study, list(row.values()), benchmarks) for _, row in rows]
    short, less = key.rpartition(".")[2], marker.options.get("minus")
    if less is not None:
        marker.chosen("minus", less, dict.fromkeys(values))
        values = [each for each in values if each != less]
    lines = [
        TextLine((Cell(label, float(position)), *_cells(part, row, names, values, less)))
        for position, ((label, row), part) in enumerate(zip(rows, parts, strict=True))
    ]
    titles = [(metric_title(name), name.partition("/")[0] if len(benchmarks) > 1 else "") for name in names]
    heads = [f"{short}={each}" + (f" − {less}" if less else "") for each in values]
    columns = [Column(head, f"{group} {title},".strip()) for title, group in titles for head in heads]
    caption = f"On {' and '.join(each.name for each in benchmarks)}. {_reading(short, less, study)}"
    caption += f" Common settings, where a row does not say otherwise: {common}." * bool(common)
    if any(arm.seeds > 1 for arm in arms) and less is None:
        caption += " Mean ± standard deviation over seeds, where there are several."
    return Table(caption, (Column("", numeric=False), *columns), tuple(lines))


def _reading(short: str, less: str | None, study: Study) -> str:
    if less is None:
        return f"Bold: the best {short} of a row."
    return (
        "Differences on the seeds that both arms have, in brackets their 95% percentile bootstrap intervals over "
        f"questions, {study.samples:,} samples, each by itself."
    )


def _rows(marker: Marker, arms: Sequence[Arm], key: str) -> list[tuple[Settings, Row]]:
    """The arms grouped by their other options."""
    rows: dict[tuple[tuple[str, str], ...], Row] = {}
    for arm in arms:
        settings = dict(settings_of(identity(arm.runs[0])))
        if key not in settings:
            raise marker.fault(f"{arm.label!r} has no {key!r}; leave it out with arms=")
        own = settings.pop(key)
        rows.setdefault(tuple(sorted(settings.items())), {})[own] = arm
    return [(dict(settings), row) for settings, row in rows.items()]


def _cells(part: Study, row: Row, names: Sequence[str], values: Sequence[str], less: str | None) -> Iterator[Cell]:
    for name in names:
        for each in values:
            arm = row.get(each)
            if less is not None:
                yield Cell(_difference(part, name, row.get(less), arm))
            else:
                yield estimate_cell(name, part.estimate(arm, name), is_best(part, arm, name)) if arm else Cell("–")


def _difference(part: Study, name: str, first: Arm | None, second: Arm | None) -> str:
    """Second minus first with its interval; a dash if an arm or its value is missing."""
    if first is None or second is None or (mean := mean_difference(first, second, name)) is None:
        return "–"
    text = number(name, mean, signed=True)
    found = arm_differences([first, second], part.contributions, (name,), part.samples, part.seed)
    return f"{text} ({span(name, (found[0].difference.low, found[0].difference.high), True)})" if found else text


def _named(rows: Sequence[tuple[Settings, Row]]) -> tuple[list[tuple[str, Row]], str]:
    """Rows with their names, those with the common settings first; and the common settings as text."""
    settings = [each for each, _ in rows]
    keys = sorted(differing(settings))
    unlike = [{key: value(key, each.get(key)) for key in keys if each.get(key) != _common(key, each, settings)}
              for each in settings]  # fmt: skip
    short = _shortest(keys)
    order = sorted(
        range(len(rows)), key=lambda position: [(key, _natural(text)) for key, text in unlike[position].items()]
    )
    named = [
        (", ".join(f"{short[key]}={text}" for key, text in unlike[position].items()) or COMMON, rows[position][1])
        for position in order
    ]
    if unlike[order[0]]:  # no row has all the common settings
        return named, ""
    return named, ", ".join(f"{short[key]}={value(key, settings[order[0]].get(key))}" for key in keys)


def _common(key: str, own: Settings, settings: Sequence[Settings]) -> str | None:
    """The most frequent value of an option among rows whose part has the same class; the first of equally frequent."""
    alike = [each for each in settings if class_around(key, each) == class_around(key, own)]
    return Counter(each.get(key) for each in alike).most_common(1)[0][0]


def _shortest(keys: Iterable[str]) -> dict[str, str]:
    """Option -> its shortest unambiguous suffix."""
    words = {key: option(key).split(".") for key in keys}
    ends = {key: [".".join(each[-count:]) for count in range(1, len(each) + 1)] for key, each in words.items()}
    shared = Counter(end for each in ends.values() for end in each)
    return {key: next((end for end in each if shared[end] == 1), each[-1]) for key, each in ends.items()}


def _natural(text: str) -> tuple[float, str]:
    """A sort key: numbers by size, then words."""
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text
