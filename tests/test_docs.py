"""What the documentation names exists."""

import re
import shlex
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.commands.check import check_check
from hybrid_ir.commands.export import check_export
from hybrid_ir.commands.index import check_index
from hybrid_ir.commands.mine import check_mine
from hybrid_ir.commands.search import check_search
from hybrid_ir.config.rules.system_rules import check_evaluate
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.evaluation.evaluator import parse_measures
from hybrid_ir.evaluation.measures.measures import kinds
from hybrid_ir.training.batch_metrics import QUANTITIES
from tests.compose import compose_config
from tests.evaluation.samples import parallel_benchmark
from tests.messages import VALUE, texts
from tests.pages import NOT_RUN, PAGES, REPOSITORY, RUN, RUN_BY, Block, blocks

EVALUATION = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")


def first_cells(page: str) -> dict[str, str]:
    """Name of a measure, without its cut-off -> the row of a table whose first cell has it."""
    rows = re.findall(r"^\| (`.*?) (\|.*)\|$", page, re.M)
    return {name.split("@")[0]: row for cell, row in rows for name in re.findall(r"`(.*?)`", cell)}


def test_every_measure_is_documented_with_a_formula() -> None:
    formulas = first_cells((REPOSITORY / "docs" / "measures.md").read_text(encoding="utf-8"))
    assert formulas.keys() >= {*kinds(), *QUANTITIES}
    assert not [name for name in kinds() if not re.search(r"[Σ/−\[]", formulas[name].split("|")[1])]


def test_the_example_configuration_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", EVALUATION, re.S)
    measures = OmegaConf.to_container(OmegaConf.create(example).eval.measures)
    parsed = parse_measures({"monolingual": ["map"], "crosslingual": ["map"], **measures}, parallel_benchmark())
    assert "language_share_de@10" in [measure.name for measure in parsed["multilingual"]]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?://)([^)#]+)", prose)
    assert not [link for link in links if not (path.parent / link).exists()]


PROGRAMS = {"train.py": ("train", check_train), "evaluate.py": ("evaluate", check_evaluate),
            "hybrid_ir mine": ("mine", check_mine), "hybrid_ir export": ("export", check_export),
            "hybrid_ir index": ("index", check_index), "hybrid_ir search": ("search", check_search),
            "hybrid_ir check": ("check", check_check)}  # fmt: skip
SHELL = [block for page in PAGES for block in blocks(page, "bash", "sh", "shell", "console")]


def composed(command: str) -> tuple[str, list[str]] | None:
    """The program that a command gives a configuration to, and its words; None for other commands."""
    for program in PROGRAMS:
        start, found, rest = command.partition(f" {program}")
        if found and re.search(r"(^|\s)(python|torchrun)\b", start) and (rest.startswith(" ") or not rest):
            return program, shlex.split(rest)
    return None


COMMANDS = [
    pytest.param(*PROGRAMS[found[0]], found[1], id=f"{block.page.stem}-{block.line}-{number}")
    for block in SHELL
    if block.mark != RUN_BY
    for number, command in enumerate(block.commands)
    if (found := composed(command)) is not None and "$(" not in command
]


@pytest.mark.parametrize(("name", "check", "words"), COMMANDS)
def test_commands_are_valid(name: str, check: Callable[[DictConfig], None], words: list[str], tmp_path: Path) -> None:
    """Every override exists, composes and passes the rules; of a sweep, the first job."""
    if name == "train" and "--cfg" in words:
        words = words[: words.index("--cfg")]
    overrides = [first_job(word) for word in words if word not in ("-m", "--help")]
    check(compose_config(name, overrides, tmp_path))
    assert len(COMMANDS) > 60, "where are they?"


def checked(command: str) -> bool:
    """Whether a command that takes no configuration names what exists."""
    match command.split():
        case ["make", target]:
            return re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.M) is not None
        case ["pip", "install", "-r", file]:
            return (REPOSITORY / file).exists()
        case ["python", "-m", module, *_] if module.startswith("hybrid_ir"):
            return find_spec(module) is not None
        case ["python", "-m", "pytest", *words]:
            return all((REPOSITORY / word).exists() for word in words if not word.startswith("-"))
        case ["source", ".venv/bin/activate"]:
            return True
    return False


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.page.stem}-{block.line}")
def test_every_block_of_commands_is_run_or_checked(block: Block) -> None:
    """Or says why it is not."""
    if block.mark == NOT_RUN:
        assert block.detail, "say why it is not run"
    elif block.mark == RUN_BY:
        assert (REPOSITORY / block.detail).exists()
    elif block.mark != RUN:  # tests/test_doc_blocks.py runs these
        assert block.mark is None
        assert [command for command in block.commands if composed(command) is None and not checked(command)] == []


def first_job(word: str) -> str:
    override = OverridesParser.create().parse_override(word)
    if not override.is_sweep_override():
        return word
    if override.is_interval_sweep():
        return f"{override.get_key_element()}={override.value().start}"
    return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"


QUOTED = re.findall(
    r"^\| `(.+?)` \|", (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize("message", QUOTED)
def test_quoted_messages_stand_in_the_source(message: str) -> None:
    """Up to `…`, which stands for a value, or, at the end, for the rest."""
    wanted = message.removesuffix(f" {VALUE}").removesuffix(VALUE)
    assert len(wanted.replace(VALUE, "")) > 10 and len(QUOTED) > 25
    assert any(wanted in text for text in texts()), "the code words it otherwise"
