"""What the documentation names exists."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.export_rules import check_export
from hybrid_ir.config.rules import (
    check_check,
    check_evaluate,
    check_index,
    check_mine,
    check_search,
    check_train,
)
from hybrid_ir.retrieval.evaluator import parse_measures
from hybrid_ir.retrieval.measures import KINDS, TOP_KINDS
from tests.compose import compose_config
from tests.retrieval.samples import parallel_benchmark

REPOSITORY = Path(__file__).resolve().parents[1]
EVALUATION = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_every_measure_is_documented() -> None:
    documented = {name.split("@")[0] for cell in re.findall(r"^\| (`.*?) \|", EVALUATION, re.M)
                  for name in re.findall(r"`(.*?)`", cell)}  # fmt: skip
    assert documented >= {*KINDS, *TOP_KINDS}


def test_the_example_configuration_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", EVALUATION, re.S)
    measures = OmegaConf.to_container(OmegaConf.create(example).eval.measures)
    parsed = parse_measures({"monolingual": ["map"], "crosslingual": ["map"], **measures}, parallel_benchmark())
    assert "language_share_de@10" in [measure.name for measure in parsed["multilingual"]]


PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]


def commands(page: Path) -> list[str]:
    """The commands of a page that take a configuration, whoever starts them."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^(?:\S+=\S+ )?(?:python|srun python|torchrun) (?:.*)$", text, re.M)


PROGRAMS = {"train.py": ("train", check_train), "evaluate.py": ("evaluate", check_evaluate),
            "hybrid_ir.mine": ("mine", check_mine), "hybrid_ir.export": ("export", check_export),
            "hybrid_ir.index": ("index", check_index), "hybrid_ir.search": ("search", check_search),
            "hybrid_ir.data": ("check", check_check)}  # fmt: skip
COMMANDS = [
    pytest.param(*PROGRAMS[program], shlex.split(command.partition(program)[2], comments=True), id=f"{page.stem}-{n}")
    for page in PAGES
    for n, command in enumerate(commands(page))
    for program in PROGRAMS
    if f" {program} " in command
]


@pytest.mark.parametrize(("name", "check", "words"), COMMANDS)
def test_commands_are_valid(name: str, check: Callable[[DictConfig], None], words: list[str], tmp_path: Path) -> None:
    """Every override exists, composes and passes the rules; of a sweep, the first job."""
    if name == "train" and "--cfg" in words:
        words = words[: words.index("--cfg")]
    overrides = [first_job(word) for word in words if word not in ("-m", "--help")]
    check(compose_config(name, overrides, tmp_path))


def test_pages_have_commands() -> None:
    assert len(COMMANDS) > 40


def first_job(word: str) -> str:
    override = OverridesParser.create().parse_override(word)
    if not override.is_sweep_override():
        return word
    if override.is_interval_sweep():
        return f"{override.get_key_element()}={override.value().start}"
    return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
