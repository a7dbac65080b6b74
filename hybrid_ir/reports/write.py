"""Writes a report as `report.html`, and as `report.md` with its plots."""

from pathlib import Path

from hybrid_ir.evaluation.results.history import RESULTS
from hybrid_ir.reports.build_report import build_report
from hybrid_ir.reports.rendering.document import Report
from hybrid_ir.reports.rendering.html import standalone_svg, to_html
from hybrid_ir.reports.rendering.markdown import FIGURES, figure_files, to_markdown
from hybrid_ir.reports.runs import read_runs
from hybrid_ir.reports.study import Study
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.own_folder import refuse_links_to

TITLE = "Retrieval results"


def report_on(folder: Path) -> None:
    """Write a run's own report into its folder, as `python -m hybrid_ir report FOLDER` does.

    Args:
        folder: the folder of an evaluated run, with `results.json`.

    Raises:
        ValueError: there are no results in `folder`, or a report cannot be made from them.
    """
    results = folder / RESULTS
    if not results.exists():
        raise ValueError(f"no {RESULTS} in {folder}: a report needs a run that was evaluated at least once")
    write_report(folder, build_report(Study(read_runs([results])), TITLE))


def write_report(folder: Path, report: Report) -> list[Path]:
    """Write both formats into `folder` and return their paths; the same report gives the same bytes."""
    pages = {folder / "report.html": to_html(report), folder / "report.md": to_markdown(report)}
    plots = {folder / FIGURES / name: standalone_svg(svg) for name, svg in figure_files(report).items()}
    refuse_links_to(folder, pages | plots)
    for path, text in (pages | plots).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    return list(pages)
