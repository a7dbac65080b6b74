"""Writes a report: `report.html`, `report.md` and the plots that the latter shows."""

from pathlib import Path

from hybrid_ir.reporting.report.document import Report
from hybrid_ir.reporting.report.html import standalone_svg, to_html
from hybrid_ir.reporting.report.markdown import FIGURES, figure_files, to_markdown
from hybrid_ir.sources.atomic import replacing


def write_report(folder: Path, report: Report) -> list[Path]:
    """Write both forms into `folder`, and return their paths; the same report gives the same bytes."""
    pages = {folder / "report.html": to_html(report), folder / "report.md": to_markdown(report)}
    plots = {folder / FIGURES / name: standalone_svg(svg) for name, svg in figure_files(report).items()}
    for path, text in (pages | plots).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    return list(pages)
