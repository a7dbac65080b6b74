"""What the documentation names exists."""

import re
import shlex
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hybrid_ir.config.rules import check_mine, check_train
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


TRAINING = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python (.*)$", TRAINING, re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_training_page_are_valid(command: str, tmp_path: Path) -> None:
    """Every override exists, composes and passes the rules."""
    program, *overrides = [word for word in shlex.split(command) if word != "-m"]
    name = {"train.py": "train", "hybrid_ir.mine": "mine"}[program]
    {"train": check_train, "mine": check_mine}[name](compose_config(name, overrides, tmp_path))
