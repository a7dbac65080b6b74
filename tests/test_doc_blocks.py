"""Runs the Python blocks of every page, and the blocks of commands that are marked to be run, in their order."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.evaluation.benchmarks.lareqa_pins import LAREQA_PINS
from tests.commands import SECONDS, program_environment
from tests.evaluation.samples import HashEncoder
from tests.pages import NOT_RUN, PAGES, REPOSITORY, RUN, RUN_BY, Block, blocks
from tests.warm import python
from tests.worlds import write_lareqa

RUNNABLE = {
    page: found
    for page in PAGES
    if page.name != "CONTRIBUTING.md"  # tests/test_contributing.py
    and (
        found := [block for block in blocks(page, "python", "bash") if block.language == "python" or block.mark == RUN]
    )
}


def readme(folder: Path, names: dict[str, Any]) -> None:
    """An encoder, and files that stand where XQuAD-R's would."""
    for language in LAREQA_PINS["xquad_r"].sha256:
        place = write_lareqa(folder / language, ("en",)) / "en.json"
        (folder / "data" / "xquad_r").mkdir(parents=True, exist_ok=True)
        place.rename(folder / "data" / "xquad_r" / f"{language}.json")
    names["my_encoder"] = HashEncoder()


def search(folder: Path, names: dict[str, Any]) -> None:
    """A file in the form of Belebele's questions: two to one passage."""
    rows = [{"id": f"dev-1-{number}", "passage": {"de": "Ulm liegt an der Donau."}} for number in range(2)]
    (folder / "parallel_qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


# What a page's examples start from.
GIVEN: dict[str, Callable[[Path, dict[str, Any]], None]] = {"README.md": readme, "search.md": search}


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.stem)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("train.py", "evaluate.py", "conf", "hybrid_ir"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    names: dict[str, Any] = {"__name__": "page"}
    GIVEN.get(page.name, lambda folder, names: None)(tmp_path, names)
    for block in RUNNABLE[page]:
        if block.mark in (NOT_RUN, RUN_BY):
            assert block.detail
        elif block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
        else:
            run_shell(block, tmp_path)


def run_shell(block: Block, folder: Path) -> None:
    path = f"{Path(python()).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", block.text], cwd=folder, env=program_environment(folder) | {"PATH": path},
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.page}:{block.line}\n{done.stdout}\n{done.stderr}"


def test_pages_have_examples() -> None:
    assert {page.name for page in RUNNABLE} >= {"README.md", "your-own.md", "batches.md", "measures.md"}
