"""Texts in the source, as a reader of an error meets them."""

import ast
from functools import cache

from tests.pages import REPOSITORY

VALUE = "…"


@cache
def texts() -> tuple[str, ...]:
    """Every string of the package and the programs, `…` in place of the values that are put into it."""
    found = []
    for path in [*sorted((REPOSITORY / "hybrid_ir").rglob("*.py")), *sorted(REPOSITORY.glob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)
