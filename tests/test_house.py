"""The layout of the package: one name, one file, one class; commands and their old names reach the same program."""

import ast
import re
import runpy
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from hybrid_ir.__main__ import COMMANDS, main

PACKAGE = Path(__file__).resolve().parents[1] / "hybrid_ir"
ALIASES = {
    "hybrid_ir.data": "check",
    "hybrid_ir.mine": "mine",
    "hybrid_ir.index": "index",
    "hybrid_ir.search": "search",
    "hybrid_ir.export": "export",
    "hybrid_ir.reporting": "report",
    "hybrid_ir.reporting.condense": "condense",
    "hybrid_ir.reporting.page": "pages",
}
IN_MANY = {"__init__.py", "__main__.py"}
LONGEST, SHORTEST = 250, 30  # lines of a file
SHORT = {"data/readers/cldr_facts.py": "every reader has its file"}
STARTERS = {PACKAGE / "index.py", PACKAGE / "mine.py"}  # old names of commands


def files() -> list[Path]:
    starters = {*STARTERS, *(PACKAGE / "reporting").glob("*.py"), *(PACKAGE / "commands").glob("*.py")}
    return [path for path in PACKAGE.rglob("*.py") if path.name not in IN_MANY and path not in starters]


def test_no_two_files_and_no_two_classes_share_a_name() -> None:
    named = defaultdict(list)
    for path in files():
        named[path.name].append(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                named[node.name].append(path)
    assert {name: paths for name, paths in named.items() if len(paths) > 1} == {}


def test_a_file_is_one_concept_of_a_readable_length() -> None:
    lines = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8").count("\n") for path in files()}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
    assert {name for name, count in lines.items() if count < SHORTEST} == set(SHORT), "a short file needs a reason"


def test_the_map_in_contributing_shows_every_room_and_its_parts() -> None:
    page = (PACKAGE.parent / "CONTRIBUTING.md").read_text("utf-8").partition("## How the code is laid out")[2]
    rows = [re.findall(r"`([a-z_]+)`", line) for line in page.partition("\n## ")[0].splitlines() if line[:1] == "|"]
    shown = {path for room, *parts in filter(None, rows) for path in (room, *(f"{room}/{part}" for part in parts))}
    folders = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*/__init__.py")}
    assert shown == {path.as_posix() for path in folders if len(path.parts) < 3} - {"reporting"}


def test_every_command_is_a_file_and_every_file_a_command() -> None:
    programs = {path.stem for path in (PACKAGE / "commands").glob("*.py") if "__main__" in path.read_text("utf-8")}
    assert programs == set(COMMANDS)


@pytest.mark.parametrize(("old", "command"), ALIASES.items())
def test_old_names_start_the_same_command(monkeypatch: pytest.MonkeyPatch, old: str, command: str) -> None:
    started = []
    monkeypatch.setattr(sys, "argv", [old, "a=1"])
    run_module = runpy.run_module

    def record(name: str, **options: object) -> None:
        started.append((name, sys.argv[1:]))

    with monkeypatch.context() as patch:
        patch.setattr(runpy, "run_module", record)
        run_module(old, run_name="__main__", alter_sys=False)
    assert started == [("hybrid_ir", [command, "a=1"])]


def test_commands_are_listed_and_a_typo_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hybrid_ir", "--help"])
    main()
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in shown] == []
    monkeypatch.setattr(sys, "argv", ["hybrid_ir", "serach"])
    with pytest.raises(SystemExit, match="unknown command 'serach'; did you mean 'search'"):
        main()
