"""Builds a report from a study, section by section, and writes it as HTML, and as Markdown with its plots."""

from pathlib import Path

from hybrid_ir.evaluation.results.history import RESULTS
from hybrid_ir.reports.rendering.document import Report
from hybrid_ir.reports.rendering.html import standalone_svg, to_html
from hybrid_ir.reports.rendering.markdown import FIGURES, figure_files, to_markdown
from hybrid_ir.reports.runs import read_runs
from hybrid_ir.reports.sections.alpha import alpha
from hybrid_ir.reports.sections.answer import answer, introduction
from hybrid_ir.reports.sections.bias_section import bias
from hybrid_ir.reports.sections.by_language_section import heat, languages
from hybrid_ir.reports.sections.conditions import conditions
from hybrid_ir.reports.sections.curves import curves
from hybrid_ir.reports.sections.headline import headline
from hybrid_ir.reports.sections.seen import seen
from hybrid_ir.reports.sections.tests import significance
from hybrid_ir.reports.study import Study
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.own_folder import refuse_links_to

# In the order of a reader's questions: which arm is best, by how much, is it significant, how biased, where, and how.
SECTIONS = (answer, headline, alpha, significance, bias, languages, heat, curves, seen, conditions)


def build_report(study: Study, title: str) -> Report:
    """The report of a study. A section without content is left out, with the reason.

    Args:
        study: arms and their results.
        title: title of the report.
    """
    return Report(title, introduction(study), tuple(section(study) for section in SECTIONS))


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
