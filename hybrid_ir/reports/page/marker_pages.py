"""Generates the tables, figures and numbers between markers in hand-written Markdown pages from result files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hybrid_ir.reports.page.markers import INLINE, Marker, find_markers
from hybrid_ir.reports.page.page_parts import metrics_table, section_blocks, single_value
from hybrid_ir.reports.page.pivot import pivot_table
from hybrid_ir.reports.rendering.document import Block, Figure, Fold, anchor
from hybrid_ir.reports.rendering.html import standalone_svg
from hybrid_ir.reports.rendering.markdown import FIGURES, blocks_markdown, plots
from hybrid_ir.reports.runs import find_results, read_runs
from hybrid_ir.reports.study import Study

Studies = dict[tuple[str, ...], Study]  # by folders
BLOCKS: Mapping[str, Callable[[Marker, Study], Sequence[Block]]] = {  # kind of a part -> its content
    "report": section_blocks,
    "table": lambda marker, study: [metrics_table(marker, study)],
    "pivot": lambda marker, study: [pivot_table(marker, study)],
}


@dataclass
class Page:
    """A page with its marked parts generated.

    Attributes:
        path: path of the Markdown file.
        text: the new text.
        figures: path -> SVG of each plot.
        stale: `FILE:LINE: part` of each part whose text on disk is out of date.
    """

    path: Path
    text: str = ""
    figures: dict[Path, str] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)


def build_pages(paths: Iterable[Path]) -> list[Page]:
    """Generate the marked parts of pages; nothing is written. Folders are read once for all pages.

    Raises:
        InputError: a marker is invalid, or the runs lack what it selects; names file and line.
    """
    studies: Studies = {}
    return [_page(path, studies) for path in paths]


def _page(path: Path, studies: Studies) -> Page:
    old, position = path.read_text(encoding="utf-8"), 0
    page, used = Page(path), set[str]()
    for marker in find_markers(path, old):
        text, figures = _part(marker, used, studies)
        page.text += old[position : marker.begin] + text
        position = marker.end
        page.figures |= figures
        if text != old[marker.begin : marker.end]:
            page.stale.append(f"{path}:{marker.line}: {marker.kind} of {' '.join(marker.folders)}")
        for plot, svg in figures.items():
            if not plot.exists() or plot.read_text(encoding="utf-8") != svg:
                page.stale.append(f"{path}:{marker.line}: {plot}")
    page.text += old[position:]
    return page


def _part(marker: Marker, used: set[str], studies: Studies) -> tuple[str, dict[Path, str]]:
    """The text of a part, and its plots by path."""
    try:
        study = studies.get(marker.folders) or studies.setdefault(marker.folders, _study(marker.folders))
    except ValueError as error:
        raise marker.fault(str(error)) from None
    if marker.kind in INLINE:
        return single_value(marker, study), {}
    blocks = _named(BLOCKS[marker.kind](marker, study), marker.path.stem, used)
    figures = {marker.path.parent / FIGURES / name: standalone_svg(svg) for name, svg in plots(blocks).items()}
    return f"\n\n{blocks_markdown(blocks)}\n\n", figures


def _study(folders: tuple[str, ...]) -> Study:
    """The study of some folders; its tests use 10,000 samples, as in a report."""
    runs = read_runs([file for folder in folders for file in find_results(Path(folder))])
    return Study([run for run in runs if run.error is None])


def _named(blocks: Sequence[Block], page: str, used: set[str]) -> list[Block]:
    """The blocks, with figures renamed to begin with the page's name and to be unique on it."""
    renamed: list[Block] = []
    for block in blocks:
        if isinstance(block, Figure):
            renamed.append(_renamed(block, page, used))
        elif isinstance(block, Fold):
            parts = (_renamed(part, page, used) if isinstance(part, Figure) else part for part in block.blocks)
            renamed.append(replace(block, blocks=tuple(parts)))
        else:
            renamed.append(block)
    return renamed


def _renamed(figure: Figure, page: str, used: set[str]) -> Figure:
    first = anchor(page, figure.name)
    name = next(name for name in (first, *(f"{first}-{n}" for n in range(2, len(used) + 3))) if name not in used)
    used.add(name)
    return replace(figure, name=name)
