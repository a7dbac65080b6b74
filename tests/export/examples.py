"""Runs the Python examples of model cards and of the documentation."""

import re
from pathlib import Path
from typing import Any

import pytest


def blocks(page: Path) -> list[str]:
    """Every example of a Markdown file: with sentence-transformers first, in a card with transformers alone second."""
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def run_block(block: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that an example leaves; it loads the model at `folder` by that folder's name."""
    names: dict[str, Any] = {}
    with monkeypatch.context() as patch:
        patch.chdir(folder.parent)
        exec(block, names)
    return names
