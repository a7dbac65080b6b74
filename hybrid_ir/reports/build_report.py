"""Builds a report from a study, section by section."""

from hybrid_ir.reports.rendering.document import Report
from hybrid_ir.reports.sections.alpha import alpha
from hybrid_ir.reports.sections.answer import answer, introduction
from hybrid_ir.reports.sections.bias_section import bias
from hybrid_ir.reports.sections.by_language_section import languages
from hybrid_ir.reports.sections.conditions import conditions
from hybrid_ir.reports.sections.curves import curves
from hybrid_ir.reports.sections.headline import headline
from hybrid_ir.reports.sections.heat import heat
from hybrid_ir.reports.sections.seen import seen
from hybrid_ir.reports.sections.tests import significance
from hybrid_ir.reports.study import Study

# In the order of a reader's questions: which arm is best, by how much, is it significant, how biased, where, and how.
SECTIONS = (answer, headline, alpha, significance, bias, languages, heat, curves, seen, conditions)


def build_report(study: Study, title: str) -> Report:
    """The report of a study. A section without content is left out, with the reason.

    Args:
        study: arms and their results.
        title: title of the report.
    """
    return Report(title, introduction(study), tuple(section(study) for section in SECTIONS))
