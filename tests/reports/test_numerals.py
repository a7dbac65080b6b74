"""Numbers as papers print them, and plots that are whole, labelled SVG."""

import xml.etree.ElementTree as ET

import pytest

from hybrid_ir.reports.rendering.numerals import chance, number, share
from hybrid_ir.reports.rendering.plots import Axis, Point, Series, heat_map, line_plot


def test_numbers() -> None:
    assert [number("a/monolingual/map", value) for value in (0.56549, 1.0, 0.0, -0.04, -0.0001, None)] == [
        ".565", "1.000", ".000", "−.040", ".000", "–"
    ]  # fmt: skip
    assert number("a/rank_distance", 325.94) == "325.9"
    assert number("a/rank_distance", -887.3, signed=True) == "−887.3"
    assert number("a/monolingual/map", 0.25, signed=True) == "+.250"
    assert [share(alpha, least=2) for alpha in (0, 0.25, 0.5, 1)] == ["0", ".25", ".5", "1"]
    assert [chance(p) for p in (0.0001, 0.012, 1.0)] == ["< .001", ".012", "1.000"]


@pytest.mark.parametrize("value", [0.0, 0.5, 1213.3])
def test_one_value_alone_can_be_drawn(value: float) -> None:
    point = Point(0, value, value, value)
    ET.fromstring(line_plot("n", "T", [Series("", (point,))], Axis("x", str), Axis("y", str)))
    ET.fromstring(heat_map("n", "T", ["de"], ["de"], [[value]], str, "query", "passage"))
