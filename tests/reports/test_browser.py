"""The page in a browser: it renders without errors at the width of a phone and of a desktop, in both themes."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hybrid_ir.reports.build_report import build_report, write_report
from hybrid_ir.reports.runs import find_results, read_runs
from hybrid_ir.reports.study import Study
from tests.reports.conftest import run_writer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
BROWSERS = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")
READABLE = 4.5  # contrast ratio for text, WCAG 2.2, success criterion 1.4.3

# Contrast of every text that is shown, against the nearest background behind it; a heat map's against its cell.
CONTRASTS = """() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const hidden = !node.checkVisibility() || ["title", "desc"].includes(node.localName);
    if (hidden || !walker.currentNode.data.trim()) continue;
    const svg = node.namespaceURI.endsWith("svg");
    const cell = node.previousElementSibling;
    const inCell = svg && cell && cell.classList.contains("cell");
    const front = channels(svg ? getComputedStyle(node).fill : getComputedStyle(node).color);
    const back = inCell ? channels(getComputedStyle(cell).fill) : behind(node);
    const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    found.push([(high + 0.05) / (low + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found;
}"""
SHOWN_OUTSIDE = """() => [...document.querySelectorAll("p, h1, h2, h3, li, figcaption, summary, dd, svg.lines, button")]
  .filter(node => node.checkVisibility() && !node.closest(".scroll"))
  .filter(node => { const box = node.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth + 0.5; })
  .map(node => node.outerHTML.slice(0, 80))"""

KEYS = "rows => rows.map(row => row.cells[2].dataset.key)"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium as the system has it; without one the test skips."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test installs it")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed: make browser installs one on Debian")
    with playwright.sync_playwright() as session:
        # A sandbox of its own cannot be had as root or in most containers; the page is ours.
        opened = session.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=0)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(sweep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on the sweep, and on a run with an awkward name."""
    place = tmp_path_factory.mktemp("report")
    awkward = run_writer(place)("run", sampler="mono", backbone="a-backbone-with-a-very-long-name-<&>" * 3)
    runs = read_runs([*find_results(sweep), *find_results(awkward)])
    write_report(place, build_report(Study(runs, 100), "Results & more"))
    return place / "report.html"


def open_page(browser: "Browser", file: Path, width: str, theme: str) -> tuple["Page", list[str]]:
    """The page, and what it said, asked for or failed at; the latter is filled as it happens."""
    columns, rows = WIDTHS[width]
    page = browser.new_page(viewport={"width": columns, "height": rows}, color_scheme=theme)
    page.set_default_timeout(0)
    noticed: list[str] = []
    page.on("console", lambda message: noticed.append(message.text))
    page.on("pageerror", lambda error: noticed.append(str(error)))
    page.on("request", lambda request: noticed.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    return page, noticed


@pytest.mark.parametrize(("width", "theme"), [("phone", "dark"), ("desktop", "light")])
def test_page_renders(browser: "Browser", report: Path, width: str, theme: str) -> None:
    page, noticed = open_page(browser, report, width, theme)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS[width][0]  # no scrolling sideways
    assert page.evaluate(SHOWN_OUTSIDE) == []
    assert page.locator("svg.plot").count() > 8
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 300
    assert [pair for pair in contrasts if pair[0] < READABLE] == []
    assert noticed == []  # no message, no error, no request
    page.close()


def test_tables_sort_by_keyboard(browser: "Browser", report: Path) -> None:
    page, noticed = open_page(browser, report, "desktop", "light")
    table = page.locator("section", has=page.locator("#headline")).locator("table").first
    heading = table.locator("thead tr").last.locator("th").nth(2)
    button = heading.locator("button")
    for _ in range(200):  # reach it as a reader without a mouse does
        page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    else:
        pytest.fail("the button cannot be reached with the tab key")

    def column() -> list[float]:
        return [float(value) for value in table.locator("tbody tr").evaluate_all(KEYS)]

    before = column()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert all(a >= b for a, b in pairwise(column())) and sorted(column()) == sorted(before)
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert all(a <= b for a, b in pairwise(column()))
    table.locator("thead tr").last.locator("th button").first.focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") is None
    assert column() == before  # in the order of the arms
    assert noticed == []
    page.close()
