"""What `--help` prints, and the presets that look for faults."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import MissingConfigException
from omegaconf import DictConfig

from hybrid_ir.launch.cli import explain, register_resolvers
from hybrid_ir.launch.help import COLUMN, GROUPS, WIDTH
from tests.commands import REPOSITORY, run_command
from tests.compose import CONF

GROUPS_OF = {"train": set(GROUPS) - {"baseline"}, "evaluate": {"model", "eval", "baseline"},
             "mine": {"model", "data", "baseline"}, "index": {"model", "baseline"}, "search": set()}  # fmt: skip
PROGRAMS = {"train": "train.py", "evaluate": "evaluate.py", "mine": "hybrid_ir/commands/mine.py",
            "index": "hybrid_ir/commands/index.py", "search": "hybrid_ir/commands/search.py"}  # fmt: skip


@pytest.mark.parametrize("program", list(PROGRAMS))
def test_help_names_every_choice_in_lines_of_a_terminal(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, PROGRAMS[program], "--help") == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= WIDTH and len(text.splitlines()) < 70
    for group in GROUPS:
        choices = [path.stem for path in (CONF / group).glob("*.yaml") if path.stem != "default"]
        named = all(f" {choice}" in text for choice in choices) and f"  {group:<{COLUMN}} {GROUPS[group]}" in text
        assert named == (group in GROUPS_OF[program]), group
    assert ("(now: labse)" in text) == ("model" in GROUPS_OF[program])
    assert ("(now: xquad_r, mlqa_r)" in text) == ("eval" in GROUPS_OF[program])
    assert f"conf/{program}.yaml" in text


def test_help_shows_what_the_other_overrides_make(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "train.py", "experiment=quickstart", "sampler.alpha=0.3", "--help") == 0
    text = capsys.readouterr().out
    assert "(now: tiny)" in text and "(now: cldr)" in text and "eval=miracl only works with evaluate.py" in text


def test_every_group_is_explained() -> None:
    groups = {group for group in GROUPS if group.isalpha()}
    assert {path.name for path in CONF.iterdir() if path.is_dir()} == groups | {"hydra", "paths"}


def test_cfg_job_shows_the_resolved_configuration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["experiment=quickstart", "sampler.alpha=0.3", "logger=wandb", "--cfg", "job", "--resolve"]
    assert run_command(monkeypatch, "train.py", *arguments) == 0
    text = capsys.readouterr().out
    assert "alpha: 0.3" in text and "optimized_metric: cldr/multilingual/map" in text and "${" not in text


def test_requirements_of_sweeps_are_named_where_a_plugin_is_missing() -> None:
    missing = MissingConfigException("Could not find it", "hydra/launcher/joblib", options=["basic"])
    assert "pip install -r requirements-sweeps.txt" in str(explain(missing))
    assert (REPOSITORY / "requirements-sweeps.txt").exists()


def hydra_of(override: str) -> DictConfig:
    """Hydra's own part of the configuration of a training run."""
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", [override], return_hydra_config=True).hydra


def test_slurm_preset_asks_for_a_gpu_a_job_and_queues_again() -> None:
    launcher = hydra_of("hydra/launcher=slurm").launcher
    assert launcher._target_.endswith("SlurmLauncher")
    assert (launcher.gpus_per_node, launcher.tasks_per_node, launcher.max_num_timeout) == (1, 1, 3)


@pytest.mark.parametrize("name", ["alpha", "alpha_quick", "backbones", "backbones_quick", "optuna"])
def test_presets_are_sweeps_without_a_flag(name: str) -> None:
    hydra = hydra_of(f"sweep={name}")
    assert hydra.mode.name == "MULTIRUN" and len(hydra.sweeper.params) >= 2
