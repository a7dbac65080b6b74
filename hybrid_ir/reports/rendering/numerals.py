"""Formats numbers and names of measures as papers do: mAP .566, rank distance 325.9."""

from hybrid_ir.evaluation.measures.measures import Direction, Unit, measure_of

MINUS = "−"


def share(value: float, least: int = 0, digits: int = 3) -> str:
    """A number on a scale of 0 to 1 without its leading zero: `.566`, `1.000`, `−.040`.

    With `least`, trailing zeros beyond that many decimals are dropped: `.5`, `.25`, `0`, `1`.
    """
    text = f"{abs(value):.{digits}f}"
    sign = MINUS if value < 0 and float(text) else ""
    if least:
        text = text.rstrip("0").rstrip(".")
    return sign + (text[1:] if text.startswith("0.") else text)


def number(metric: str, value: float | None, signed: bool = False) -> str:
    """A metric's value: ranks with one decimal, everything else with three; a dash for a missing value."""
    if value is None:
        return "–"
    if _counts_ranks(metric):
        text = f"{abs(value):.1f}"
        text = f"{MINUS}{text}" if value < 0 and float(text) else text
    else:
        text = share(value)
    return f"+{text}" if signed and value > 0 else text


def span(metric: str, ends: tuple[float, float] | None, signed: bool = False) -> str:
    """An interval of a metric's values: `.543 to .577`; a dash for a missing one."""
    return "–" if ends is None else " to ".join(number(metric, end, signed) for end in ends)


def tick(metric: str, value: float) -> str:
    """The label of a tick: ranks without decimals if they are integers."""
    return f"{value:g}" if _counts_ranks(metric) else share(value)


def chance(p: float) -> str:
    """A p-value: `.012`, or `< .001`."""
    return "< .001" if p < 0.001 else share(p)


def measure_title(metric: str) -> str:
    """The measure of a macro metric by its name in papers: `mAP`, `R@10`, `rank distance`."""
    measure = measure_of(metric)
    return measure.title if measure else metric.rpartition("/")[2].replace("_", " ")


def metric_title(metric: str) -> str:
    """A macro metric without its benchmark: `multilingual mAP`, `rank distance`."""
    _, *rest = metric.split("/")
    setting = rest[0].replace("crosslingual", "cross-lingual") if len(rest) > 1 else ""
    return f"{setting} {measure_title(metric)}".strip()


def lower_is_better(metric: str) -> bool:
    measure = measure_of(metric)
    return measure is not None and measure.direction is Direction.LOWER


def _counts_ranks(metric: str) -> bool:
    measure = measure_of(metric)
    return measure is not None and measure.unit is Unit.RANKS
