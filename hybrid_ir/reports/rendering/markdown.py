"""A report as Markdown, with its plots as separate files."""

from collections.abc import Iterator, Sequence

from hybrid_ir.evaluation.results.console import markdown_table
from hybrid_ir.reports.rendering.document import Block, Figure, Fold, Heading, Report, Table
from hybrid_ir.reports.rendering.plots import legend_mark
from hybrid_ir.sources.untrusted import for_markdown

FIGURES = "figures"


def to_markdown(report: Report) -> str:
    """The Markdown text of a report; it links plots as `figures/NAME.svg`, the files of `figure_files`."""
    parts = [f"# {for_markdown(report.title)}", for_markdown(report.lead)]
    for section in report.sections:
        if section.blocks:
            parts.append(f"## {for_markdown(section.title)}")
            parts.append(blocks_markdown(section.blocks))
    if report.missing:
        parts.append("## Left out")
        parts.append(
            "\n".join(f"- **{for_markdown(title)}** · {for_markdown(reason)}." for title, reason in report.missing)
        )
    return "\n\n".join(parts) + "\n"


def figure_files(report: Report) -> dict[str, str]:
    """File name -> SVG of every plot of the report."""
    return plots([block for section in report.sections for block in section.blocks])


def blocks_markdown(blocks: Sequence[Block]) -> str:
    """The Markdown text of some blocks; it links the files of `plots`."""
    return "\n\n".join(part for block in blocks for part in _block(block))


def plots(blocks: Sequence[Block]) -> dict[str, str]:
    """File name -> SVG of every plot of these blocks."""
    every = [*blocks, *(part for block in blocks if isinstance(block, Fold) for part in block.blocks)]
    return {
        _file(figure, position): panel.svg
        for figure in every
        if isinstance(figure, Figure)
        for position, panel in enumerate(figure.panels)
    }


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"### {for_markdown(block.text)}"
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Figure):
        if block.legend:
            yield " · ".join(
                f"{legend_mark(position)} {for_markdown(name)}" for position, name in enumerate(block.legend)
            )
        for position, panel in enumerate(block.panels):
            if len(block.panels) > 1:
                yield f"**{for_markdown(panel.title)}**"
            yield f"![{for_markdown(panel.title)}]({FIGURES}/{_file(block, position)})"
        yield for_markdown(block.caption)
        yield from _folded("The numbers of this figure", _table(block.data))
    else:
        yield from _folded(block.title, (part for inner in block.blocks for part in _block(inner)))


def _table(table: Table) -> Iterator[str]:
    yield for_markdown(table.caption)
    titles = [for_markdown(f"{column.group} {column.title}".strip()) for column in table.columns]
    rows = [
        [f"**{for_markdown(cell.text)}**" if cell.best else for_markdown(cell.text) for cell in row.cells]
        for row in table.rows
    ]
    yield markdown_table(titles, rows, [column.numeric for column in table.columns])


def _folded(title: str, parts: Iterator[str]) -> Iterator[str]:
    yield f"<details><summary>{for_markdown(title)}</summary>"
    yield from parts
    yield "</details>"


def _file(figure: Figure, position: int) -> str:
    return f"{figure.name}.svg" if len(figure.panels) == 1 else f"{figure.name}-{position + 1}.svg"
