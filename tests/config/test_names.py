"""Names cannot lead out of the folder that they are put into."""

from pathlib import Path

import pytest

from hybrid_ir.config.rules.system_rules import check_evaluate
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.launch.run_folder import run_dir
from hybrid_ir.launch.sweep_names import sweep_name
from tests.commands import run_command
from tests.compose import compose_config

ESCAPES = ["../../x", "..", "a/../../x", "/tmp/x", "a//b", "./x"]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_run_stays_below_the_outputs(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"it must be a folder below paths\.outputs"):
        run_dir(str(tmp_path), name, None)
    with pytest.raises(ValueError, match="it must be a folder below"):
        sweep_name([f"name={name}", "seed=1,2"], None)


def test_folders_in_folders_are_fine(tmp_path: Path) -> None:
    assert Path(run_dir(str(tmp_path), "study/arm-1", None)).parent == tmp_path / "study" / "arm-1"


def test_the_program_makes_no_folder_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [f"paths.outputs={tmp_path / 'a' / 'outputs'}", f"paths.cache={tmp_path / 'cache'}", "name=../../x"]
    assert run_command(monkeypatch, "train.py", "experiment=quickstart", *places) == 1
    assert "it must be a folder below" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"cache"}


@pytest.mark.parametrize(
    ("program", "override"),
    [
        ("evaluate", "eval.benchmarks.xquad_r.name=../../x"),
        ("evaluate", "eval.benchmarks.xquad_r.name=a/b"),
        ("evaluate", "eval.benchmarks.xquad_r.languages=[de,../x]"),
        ("train", "data.corpora.squad_xtreme.name=.."),
        ("train", "data.corpora.squad_xtreme.languages=['de\\x']"),
    ],
)
def test_names_in_file_names_are_no_paths(program: str, override: str, tmp_path: Path) -> None:
    check = {"evaluate": check_evaluate, "train": check_train}[program]
    with pytest.raises(ValueError, match="becomes part of a file name and must not be a path") as caught:
        check(compose_config(program, [override], tmp_path))
    assert override.split("=")[0] in str(caught.value)
