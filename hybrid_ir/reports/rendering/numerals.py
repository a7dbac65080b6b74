"""Numbers and measures as the field prints them: mAP .566, rank distance 325.9."""

from hybrid_ir.evaluation.results.console import RANK_DISTANCE

MINUS = "−"
NAMES = {"map": "mAP", "ndcg": "nDCG", "recall": "R", "precision": "P", "rr": "MRR", "lang_ndcg": "Lang-nDCG"}


def share(value: float, least: int = 0, digits: int = 3) -> str:
    """A number on a scale of 0 to 1 without its leading zero: `.566`, `1.000`, `−.040`.

    With `least` decimals given, further zeros at the end are left out: `.5`, `.25`, `0`, `1`.
    """
    text = f"{abs(value):.{digits}f}"
    sign = MINUS if value < 0 and float(text) else ""
    if least:
        text = text.rstrip("0").rstrip(".")
    return sign + (text[1:] if text.startswith("0.") else text)


def number(metric: str, value: float | None, signed: bool = False) -> str:
    """A value of a metric: ranks with one decimal, everything else with three; a dash for what was not measured."""
    if value is None:
        return "–"
    if RANK_DISTANCE in metric.split("/"):
        text = f"{abs(value):.1f}"
        text = f"{MINUS}{text}" if value < 0 and float(text) else text
    else:
        text = share(value)
    return f"+{text}" if signed and value > 0 else text


def span(metric: str, ends: tuple[float, float] | None, signed: bool = False) -> str:
    """An interval of a metric's values: `.543 to .577`; a dash where there is none."""
    return "–" if ends is None else " to ".join(number(metric, end, signed) for end in ends)


def tick(metric: str, value: float) -> str:
    """A round value beside an axis: ranks without decimals where they have none."""
    return f"{value:g}" if RANK_DISTANCE in metric.split("/") else share(value)


def chance(p: float) -> str:
    """A p-value: `.012`, or `< .001`."""
    return "< .001" if p < 0.001 else share(p)


def measure_title(metric: str) -> str:
    """The measure of a macro metric as papers call it: `mAP`, `R@10`, `rank distance`."""
    kind, at, cutoff = metric.rpartition("/")[2].partition("@")
    return NAMES.get(kind, kind.replace("_", " ").replace("own language", "own-language")) + at + cutoff


def metric_title(metric: str) -> str:
    """A macro metric without its benchmark: `multilingual mAP`, `rank distance`."""
    _, *rest = metric.split("/")
    setting = rest[0].replace("crosslingual", "cross-lingual") if len(rest) > 1 else ""
    return f"{setting} {measure_title(metric)}".strip()


def lower_is_better(metric: str) -> bool:
    return RANK_DISTANCE in metric.split("/")
