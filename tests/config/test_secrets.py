"""Keys and tokens reach neither the configuration nor anything that a run writes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from hybrid_ir.config.rules import check_evaluate, check_mine, check_train
from hybrid_ir.config.secrets import SECRETS, check_no_secrets

from ..compose import compose_config
from ..test_commands import run_program

SECRET = "5ec2e7" * 7


@pytest.mark.parametrize("variable", SECRETS)
@pytest.mark.parametrize("value", ["${oc.env:VARIABLE}", "Bearer-" + SECRET])
def test_a_secret_in_the_configuration_is_refused(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, SECRET)
    cfg = compose_config("train", ["logger=wandb"], tmp_path)
    check_no_secrets(cfg)
    cfg.logger.wandb.project = value.replace("VARIABLE", variable)
    with pytest.raises(ValueError, match=rf"logger\.wandb\.project holds the value of {variable}") as caught:
        check_train(cfg)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("program", "check"), [("evaluate", check_evaluate), ("mine", check_mine)])
def test_the_other_programs_refuse_them_too(
    program: str, check: Callable[[DictConfig], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with pytest.raises(ValueError, match="name holds the value of HF_TOKEN"):
        check(compose_config(program, [f"name=x{SECRET}"], tmp_path))


def test_a_run_writes_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole program with W&B, whose offline files, artifacts and logs are searched with everything else."""
    for variable in SECRETS:
        monkeypatch.setenv(variable, SECRET)
    for variable in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    places = [f"paths.outputs={tmp_path / 'outputs'}", "logger=[csv,wandb]"]
    done = run_program(
        "train.py", "experiment=quickstart", "debug=fast", "eval.at_start=false", *places, folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} >= {".wandb", ".yaml", ".log", ".json", ".ckpt"}
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
