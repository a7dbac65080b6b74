"""The results in docs/results are of the commands that they name, as these are composed today."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hybrid_ir.config.stored_configs import current_override
from hybrid_ir.reports.arms import essence
from tests.compose import CONF, compose_config

RESULTS = CONF.parent / "docs" / "results"
ELSEWHERE = ("hydra", "paths.", "checkpoint=")  # of the machine that ran it
STUDIES = sorted(path for path in RESULTS.iterdir() if path.is_dir())


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_run_of_the_same_command_would_join_the_same_arm(study: Path, tmp_path: Path) -> None:
    """Otherwise a preset has changed since, and its page would show two arms where there is one."""
    found = [json.loads(file.read_text(encoding="utf-8"))["provenance"] for file in study.rglob("results.json")]
    provenance = max(found, key=lambda one: (len(one["command"]), one["command"]))
    program, *words = provenance["command"]
    overrides = [current_override(word) for word in words if not word.startswith((*ELSEWHERE, "-"))]
    config = OmegaConf.to_container(compose_config(Path(program).stem, overrides, tmp_path), resolve=True)
    assert isinstance(config, dict)
    kept = {key: value for key, value in provenance["config"].items() if key != "checkpoint"}
    assert essence({str(key): value for key, value in config.items()}) == essence(kept)
