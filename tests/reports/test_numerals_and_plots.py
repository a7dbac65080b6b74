"""Numbers as papers print them, and plots that are whole, labelled SVG."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.reports.rendering.numerals import chance, measure_title, metric_title, number, share
from hybrid_ir.reports.rendering.plots import Axis, Point, Series, _ticks, heat_map, line_plot

SVG = "{http://www.w3.org/2000/svg}"


def test_numbers() -> None:
    assert [number("a/monolingual/map", value) for value in (0.56549, 1.0, 0.0, -0.04, -0.0001, None)] == [
        ".565", "1.000", ".000", "−.040", ".000", "–"
    ]  # fmt: skip
    assert number("a/rank_distance", 325.94) == "325.9"
    assert number("a/rank_distance", -887.3, signed=True) == "−887.3"
    assert number("a/monolingual/map", 0.25, signed=True) == "+.250"
    assert [share(alpha, least=2) for alpha in (0, 0.25, 0.5, 1)] == ["0", ".25", ".5", "1"]
    assert [chance(p) for p in (0.0001, 0.012, 1.0)] == ["< .001", ".012", "1.000"]


def test_titles() -> None:
    assert metric_title("x/crosslingual/map") == "cross-lingual mAP"
    assert metric_title("x/rank_distance") == "rank distance"
    assert measure_title("x/multilingual/recall@10") == "R@10"
    assert measure_title("x/own_language_advantage@10") == "own-language advantage@10"


@given(st.floats(-1e4, 1e4), st.floats(0, 1e4))
def test_ticks_enclose_the_range(low: float, width: float) -> None:
    ticks = _ticks(low, low + width)
    assert 2 <= len(ticks) <= 8
    assert list(ticks) == sorted(set(ticks))
    slack = 1e-6 * max(abs(low), width, 1e-3)
    assert ticks[0] <= low + slack and ticks[-1] >= low + width - slack


def test_line_plot() -> None:
    points = (Point(0, 0.2, 0.1, 0.3), Point(1, 0.4, 0.4, 0.4))
    series = [Series('a <b> & "c"', points), Series("other", points[:1], place=1)]
    root = ET.fromstring(line_plot("n", "T < 1", series, Axis("x", str, ticks=(0, 1)), Axis("y & z", "{:.1f}".format)))
    assert root.get("role") == "img" and root.get("aria-labelledby") == "n-title n-desc"
    assert root.find(f"{SVG}title").text == "T < 1"
    assert 'a <b> & "c": 0.2 at 0, 0.4 at 1' in root.find(f"{SVG}desc").text
    groups = list(root.iter(f"{SVG}g"))
    assert [g.get("class") for g in groups] == ["series s0", "series s1"]
    assert len(list(groups[0].iter(f"{SVG}circle"))) == 2 and len(list(groups[1].iter(f"{SVG}polygon"))) == 1
    width, height = map(float, root.get("viewBox").split()[2:])
    for mark in root.iter(f"{SVG}circle"):
        assert 0 < float(mark.get("cx")) < width and 0 < float(mark.get("cy")) < height
    heights = [float(mark.get("cy")) for mark in groups[0].iter(f"{SVG}circle")]
    assert heights[0] > heights[1]  # the higher value stands higher


def test_heat_map() -> None:
    svg = heat_map("n", "T", ["de", "en"], ["de", "en"], [[0.9, 0.1], [None, 0.5]], share, "query", "passage")
    root = ET.fromstring(svg)
    cells = [(group.get("class"), group.find(f"{SVG}text").text) for group in root.iter(f"{SVG}g")]
    assert cells == [("h8", ".900"), ("h0", ".100"), ("h4", ".500")]
    assert root.find(f"{SVG}desc").text == "query by passage, from .100 to .900."


def test_a_given_scale_makes_shades_comparable() -> None:
    svg = heat_map("n", "T", ["de"], ["de", "en", "tr"], [[0.5, -0.2, 1.3]], share, "query", "passage", (0.0, 1.0))
    root = ET.fromstring(svg)
    assert [group.get("class") for group in root.iter(f"{SVG}g")] == ["h4", "h0", "h8"]
    assert root.find(f"{SVG}desc").text == "query by passage, from −.200 to 1.300."
    assert [rect.find(f"{SVG}title").text for rect in root.iter(f"{SVG}rect")] == [
        "de-de: .500", "de-en: −.200", "de-tr: 1.300"
    ]  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 0.5, 1213.3])
def test_one_value_alone_can_be_drawn(value: float) -> None:
    point = Point(0, value, value, value)
    ET.fromstring(line_plot("n", "T", [Series("", (point,))], Axis("x", str), Axis("y", str)))
    ET.fromstring(heat_map("n", "T", ["de"], ["de"], [[value]], str, "query", "passage"))
