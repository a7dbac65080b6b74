"""What mkdocs does besides: links to files of the repository lead to copies of them, and no page is forgotten.

The pages are written for GitHub, where `../hybrid_ir/losses/infonce.py` is a link like any other. In the site every
file of the repository that a page links to is a page of its own below `source/`, so that the site needs no
network.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LINK = re.compile(r"(?<=\]\()(?!https?://|#)([^)\s#]+)")
SOURCE = "source"
LANGUAGES = {".py": "python", ".yaml": "yaml", ".toml": "toml", ".json": "json", ".sh": "bash"}
HIDDEN = "---\nsearch:\n  exclude: true\n---\n"  # source code would drown the pages in search results


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation lacks at its end."""
    listed = set(re.findall(r"[\w./-]+\.md", str(config.nav)))
    more = [path.name for path in sorted(Path(config.docs_dir).glob("*.md")) if path.name not in listed]
    if more:
        config.nav = [*config.nav, {"More pages": more}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that pages link to, and those that these link to."""
    docs = Path(config.docs_dir)
    waiting = [docs / file.src_uri for file in files.documentation_pages()]
    waiting += [path for path in (docs.parent / "CONTRIBUTING.md", docs.parent / "CHANGELOG.md") if path.exists()]
    seen = set(waiting)
    for page in waiting:
        if _is_source(page, docs):
            files.append(File.generated(config, _uri(page, docs), content=_content(page, docs.parent)))
        if page.suffix != ".md":
            continue
        new = [target for target in _targets(page) if _is_source(target, docs) and target not in seen]
        waiting += dict.fromkeys(new)
        seen |= set(new)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Turn links to files of the repository into links to their pages."""
    docs = Path(config.docs_dir)
    inside = page.file.src_uri.removeprefix(f"{SOURCE}/")
    origin = docs.parent / inside if inside != page.file.src_uri else docs / inside
    if origin.suffix != ".md" or not origin.exists():
        return markdown  # the page of a source file

    def moved(match: re.Match[str]) -> str:
        target = _resolved(origin, match[1])
        if not target.exists():
            return match[1]
        uri = _uri(target, docs) if _is_source(target, docs) else target.relative_to(docs).as_posix()
        return Path(os.path.relpath(uri, Path(page.file.src_uri).parent)).as_posix()

    return LINK.sub(moved, markdown)


def _targets(page: Path) -> Iterator[Path]:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target = _resolved(page, link)
        if target.exists():
            yield target


def _resolved(page: Path, link: str) -> Path:
    return Path(os.path.normpath(page.parent / link))


def _is_source(target: Path, docs: Path) -> bool:
    if not target.is_relative_to(docs):
        return target.is_relative_to(docs.parent)
    return target.suffix == ".py" or target.is_dir()


def _uri(target: Path, docs: Path) -> str:
    place = target.relative_to(docs.parent).as_posix()
    return f"{SOURCE}/{place}" if target.suffix == ".md" else f"{SOURCE}/{place}.md"


def _content(path: Path, repository: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    name = path.relative_to(repository).as_posix()
    if path.is_dir():
        entries = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in path.iterdir())
        listing = "\n".join(f"- `{entry}`" for entry in entries if not entry.startswith(("__", ".")))
        return f"{HIDDEN}# {name}/\n\n{listing}\n"
    return (
        f"{HIDDEN}# {name}\n\n~~~~~~~~{LANGUAGES.get(path.suffix, '')}\n{path.read_text(encoding='utf-8')}\n~~~~~~~~\n"
    )
