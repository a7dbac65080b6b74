"""One table of where an option matters: configurations as rows, the values of the option side by side."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hybrid_ir.reporting.page.choice import PartOfStudy, chosen_arms, chosen_benchmarks, metric_of
from hybrid_ir.reporting.page.markers import Marker
from hybrid_ir.reporting.report.arms import Arm, identity, leaves
from hybrid_ir.reporting.report.cells import estimate_cell, is_best
from hybrid_ir.reporting.report.document import Cell, Column, Line, Table
from hybrid_ir.reporting.report.numerals import metric_title
from hybrid_ir.reporting.report.study import Study

TARGET = "_target_"
COMMON = "common settings"
Settings = Mapping[str, str]  # dotted key of a configuration -> its value, without options that are off
Row = dict[str, Arm]  # value of the option -> arm


def pivot_table(marker: Marker, study: Study) -> Table:
    """Arms that differ by the option `across=` alone share a row, named by what few other rows have.

    Raises:
        InputError: an arm does not have the option, or an option or metric is missing or unknown.
    """
    benchmarks, arms = chosen_benchmarks(marker, study), chosen_arms(marker, study)
    key = marker.needed("across")
    marker.needed("metrics")
    names = [metric_of(marker, study, each, name) for each in benchmarks for name in marker.listed("metrics")]
    rows, common = _named(_rows(marker, arms, key))
    values = sorted({value for _, row in rows for value in row}, key=_natural)
    parts = [PartOfStudy(study, list(row.values()), benchmarks) for _, row in rows]
    lines = [
        Line((Cell(label, float(place)), *_cells(part, row, names, values)))
        for place, ((label, row), part) in enumerate(zip(rows, parts, strict=True))
    ]
    short = key.rpartition(".")[2]
    titles = [(metric_title(name), name.partition("/")[0] if len(benchmarks) > 1 else "") for name in names]
    columns = [Column(f"{short}={value}", f"{group} {title},".strip()) for title, group in titles for value in values]
    caption = f"On {' and '.join(each.name for each in benchmarks)}. Bold: the best {short} of a row."
    caption += f" Common settings, where a row does not say otherwise: {common}." * bool(common)
    if any(arm.seeds > 1 for arm in arms):
        caption += " Mean ± standard deviation over seeds, where there are several."
    return Table(caption, (Column("", numeric=False), *columns), tuple(lines))


def _rows(marker: Marker, arms: Sequence[Arm], key: str) -> list[tuple[Settings, Row]]:
    """Arms by what they have besides the option."""
    rows: dict[tuple[tuple[str, str], ...], Row] = {}
    for arm in arms:
        settings = dict(leaves(identity(arm.runs[0])))
        if key not in settings:
            raise marker.fault(f"{arm.label!r} has no {key!r}; leave it out with arms=")
        value = settings.pop(key)
        rows.setdefault(tuple(sorted(settings.items())), {})[value] = arm
    return [(dict(settings), row) for settings, row in rows.items()]


def _cells(part: Study, row: Row, names: Sequence[str], values: Sequence[str]) -> Iterator[Cell]:
    for name in names:
        for value in values:
            arm = row.get(value)
            yield estimate_cell(name, part.estimate(arm, name), is_best(part, arm, name)) if arm else Cell("–")


def _named(rows: Sequence[tuple[Settings, Row]]) -> tuple[list[tuple[str, Row]], str]:
    """Rows with their names, the common settings first, then by what is unlike those; and these settings."""
    base = _common([settings for settings, _ in rows])
    unlike = [_unlike(settings, base) for settings, _ in rows]
    short = _shortest(sorted({key for each in unlike for key in each}))
    order = sorted(range(len(rows)), key=lambda place: [(k, _natural(v)) for k, v in unlike[place].items()])
    named = [
        (", ".join(f"{short[k]}={v}" for k, v in unlike[place].items()) or COMMON, rows[place][1]) for place in order
    ]
    whole = {key: key if key in base else f"{key}.{TARGET}" for key in short}
    return named, ", ".join(f"{name}={_plain(whole[key], base[whole[key]])}" for key, name in short.items())


def _common(settings: Sequence[Settings]) -> dict[str, str | None]:
    """The value that most rows have of each option, the first of those as frequent; None where most have none."""
    keys = dict.fromkeys(key for each in settings for key in each)
    return {key: Counter(each.get(key) for each in settings).most_common(1)[0][0] for key in keys}


def _unlike(settings: Settings, base: Mapping[str, str | None]) -> dict[str, str]:
    """What a row has otherwise; of a part of another class the class, without options that one of the two lacks."""
    found = {key: settings.get(key) for key in base if settings.get(key) != base[key]}
    replaced = tuple(key.removesuffix(TARGET) for key in found if key.endswith(TARGET))
    kept = {key: value for key, value in found.items()
            if key.endswith(TARGET) or not (key.startswith(replaced) and None in (value, base[key]))}  # fmt: skip
    return {key.removesuffix(f".{TARGET}"): _plain(key, value) for key, value in kept.items()}


def _plain(key: str, value: str | None) -> str:
    """A value as a table shows it: of a class its name alone."""
    if value is None:
        return "null"
    return value.rpartition(".")[2] if key.endswith(TARGET) else value


def _shortest(keys: Iterable[str]) -> dict[str, str]:
    """Each key by its last words, as many as tell it from the others."""
    ends = {key: [".".join(key.split(".")[-words:]) for words in range(1, key.count(".") + 2)] for key in keys}
    shared = Counter(end for each in ends.values() for end in each)
    return {key: next((end for end in each if shared[end] == 1), key) for key, each in ends.items()}


def _natural(text: str) -> tuple[float, str]:
    """Numbers by their size, before words."""
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text
