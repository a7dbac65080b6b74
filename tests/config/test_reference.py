"""The configuration reference is complete and up to date."""

import importlib.util
import re
from pathlib import Path

import pytest

from hybrid_ir.commands.schemas import MineSchema
from hybrid_ir.config.reference.__main__ import PAGE, REPOSITORY
from hybrid_ir.config.reference.meaning import described, read_yaml
from hybrid_ir.config.reference.page import field_rows, page
from hybrid_ir.config.schemas.losses import LossConfig
from hybrid_ir.config.schemas.programs import EvaluateSchema, TrainSchema
from hybrid_ir.config.schemas.register import register

CONF = REPOSITORY / "conf"


@pytest.fixture(scope="module")
def reference() -> str:
    register()
    return page(CONF)


def test_the_page_is_up_to_date(reference: str) -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == reference, "run python -m hybrid_ir.config.reference"


def test_every_field_has_a_meaning(reference: str) -> None:
    """Of the project's own; a library documents its arguments itself."""
    tables = re.findall(r"^\| field \| type \| default \| meaning \|\n.*\n((?:\|.*\n)+)", reference, re.M)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 150
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_program_is_there_by_its_command(reference: str) -> None:
    commands = re.findall(r"^## `python (.+)`$", reference, re.M)
    assert len(commands) == len(list(CONF.glob("*.yaml")))
    for command in commands:
        module = command.removeprefix("-m ")
        assert (CONF.parent / command).is_file() or importlib.util.find_spec(f"{module}.__main__")


def test_every_field_of_the_schema_and_every_choice_is_there(reference: str) -> None:
    keys = [key for program in (TrainSchema, EvaluateSchema, MineSchema) for key, *_ in field_rows(program)]
    groups = {"logger", "callbacks", "trainer", "baseline", "sampler", "loss"}  # whose choices give a schema or none
    assert [key for key in keys if f"`{key}`" not in reference and key not in groups] == [
        key
        for key in keys
        if key.startswith("teacher.model.")  # those of `model`
    ]
    for path in CONF.rglob("*.yaml"):
        group = path.parent.relative_to(CONF).as_posix()
        if group in (".", "hydra/help", "hydra/launcher"):
            continue
        section = reference.partition(f"\n## `{group}`\n")[2].partition("\n## ")[0]
        assert re.search(rf"^\| `{path.stem}` \| \S", section, re.M), f"{path} has no header that says what it is"


def test_defaults_and_types_are_those_of_the_schema(reference: str) -> None:
    assert "| `loss.temperature` | `float` | `0.05` | t, positive; the start value if it is learned |" in reference
    assert {key: default for key, _, default, _ in field_rows(LossConfig)}["symmetric"] == "false"
    assert "| `optim.learning_rate` | `float` | `3.0e-5` | peak learning rate. paper, section 4 |" in reference
    assert "| `model.lora.rank` | `int` | `0` |" in reference


def test_docstrings_and_comments_are_read(tmp_path: Path) -> None:
    class Base:
        """A base.

        Args:
            a: of the base.
        """

    class Derived(Base):
        """One.

        Args:
            b: first line,
                and `x: y` in the second.
            c: last.

        Raises:
            d: no argument.
        """

    assert described(Derived) == {"a": "of the base.", "b": "first line, and `x: y` in the second.", "c": "last."}
    path = tmp_path / "x.yaml"
    path.write_text("# @package a.b\n# What it is.\n_target_: x\n# above\nk: 1\nm:\n  n: '#1'  # beside\n")
    file = read_yaml(path)
    assert (file.header, file.comments) == ("What it is.", {"k": "above", "m.n": "beside"})
    assert file.values == {"_target_": "x", "k": "1", "m": "", "m.n": "'#1'"}
