"""The site is built in strict mode, whole, and asks nobody else for anything."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from runpy import run_path
from threading import Thread
from typing import Any

import pytest

from tests.commands import SECONDS
from tests.pages import REPOSITORY

PICTURES = REPOSITORY / "docs" / "pictures"


class Loads(HTMLParser):
    """What a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        kept = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(given.get("href") or "")
        elif tag in kept and given.get(kept[tag]):
            self.addresses.append(given[kept[tag]] or "")


def loads(page: Path) -> list[str]:
    parser = Loads()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.addresses


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="the documentation needs requirements-docs.txt")
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(  # without --quiet, under which mkdocs counts no warning
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)],
        cwd=REPOSITORY, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_every_page_is_in_the_site_and_in_its_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    for page in sorted((REPOSITORY / "docs").glob("*.md")):
        assert (site / page.with_suffix(".html").name).exists()
        assert f'href="{page.stem}.html"' in home or page.stem == "index", f"{page.name} is not in the navigation"
    assert 'href="source/CONTRIBUTING.html"' in home and 'href="source/CHANGELOG.html"' in home


def test_linked_files_of_the_repository_are_pages(site: Path) -> None:
    source = (site / "source" / "hybrid_ir" / "losses" / "infonce.py.html").read_text(encoding="utf-8")
    assert "_empty_slots" in source
    linked = (site / "batches.html").read_text(encoding="utf-8")
    assert 'href="source/hybrid_ir/losses/infonce.py.html"' in linked
    assert (site / "report-example" / "report.html").read_bytes() == (
        REPOSITORY / "docs" / "report-example" / "report.html"
    ).read_bytes()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if "report-example" not in page.parts]
    assert len(pages) > 40
    addresses = {address for page in pages for address in loads(page)}
    assert addresses and not [address for address in addresses if re.match(r"(\w+:)?//", address)]
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    assert styles and not [style for style in styles if re.search(r"(@import|url\()\s*['\"]?(https?:)?//", style)]
    assert "google" not in (site / "index.html").read_text(encoding="utf-8")


def test_a_browser_asks_for_nothing_but_the_site(site: Path, served: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}")
        page = browser.new_page()
        page.set_default_timeout(1000 * SECONDS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "batches.html").as_uri())
        assert page.locator("article img").evaluate("image => image.complete && image.naturalWidth > 100")
        page.goto(f"{served}/index.html")
        page.locator("label.md-header__button[for=__search]").dispatch_event("click")
        page.locator("input[name=query]").press_sequentially("alpha")
        page.locator(".md-search-result__item").first.wait_for(state="attached")
        browser.close()
    assert asked and not [url for url in asked if not url.startswith(("file:", "data:", "blob:", served))]


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The site's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def chromium() -> str | None:
    return next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)


@pytest.mark.parametrize("name", ["batches", "settings"])
def test_pictures_are_up_to_date_and_can_be_read(name: str) -> None:
    script = run_path(str(PICTURES / f"{name}.py"))
    drawn = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == script["draw"](), f"run python docs/pictures/{name}.py"
    root = ET.fromstring(drawn)
    names = {child.get("id"): child.text for child in root if child.tag.endswith(("title", "desc"))}
    assert all(names[key] for key in (root.get("aria-labelledby") or "").split()) and root.get("role") == "img"
    assert "prefers-color-scheme: dark" in drawn and "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
