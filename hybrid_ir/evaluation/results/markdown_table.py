"""A table in Markdown: the one place that knows its syntax."""

from collections.abc import Iterable, Sequence


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool] | None = None) -> str:
    """The table, without a line break at its end. Cells stand as they are given: whoever has foreign text escapes it.

    `numeric` says which columns are aligned to the right; without it, all behind the first.
    """
    right = [place > 0 for place in range(len(titles))] if numeric is None else numeric
    rule = "|" + "|".join("---:" if number else "---" for number in right) + "|"
    head, *lines = (f"| {' | '.join(cells)} |" for cells in (titles, *rows))
    return "\n".join([head, rule, *lines])
