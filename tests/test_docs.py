"""What the documentation names exists."""

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hybrid_ir.retrieval.evaluator import parse_measures
from hybrid_ir.retrieval.measures import KINDS, TOP_KINDS
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


@pytest.mark.parametrize("page", ["README.md", "docs/evaluation.md", "docs/report.md"])
def test_links_lead_somewhere(page: str) -> None:
    path = REPOSITORY / page
    links = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8"))
    assert links and not [link for link in links if not (path.parent / link).exists()]
