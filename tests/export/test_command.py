"""`python -m hybrid_ir export`, and `evaluate.py` on what it writes."""

import json
from pathlib import Path

import pytest
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.commands.export import check_export
from hybrid_ir.launch.cli import explain
from tests.commands import run_command
from tests.compose import compose_config
from tests.export.conftest import MakeCheckpoint
from tests.training.conftest import Run, tiny_runs

PROGRAM = "hybrid_ir/commands/export.py"
GIVEN = ["checkpoint=x.ckpt", "out=y"]


def compose(folder: Path, *overrides: str) -> DictConfig:
    return compose_config("export", [*GIVEN, *overrides], folder)


def test_the_configuration_composes_and_passes(tmp_path: Path) -> None:
    cfg = compose(tmp_path, "push=org/name", "license=cc-by-sa-4.0", "onnx=true")
    check_export(cfg)
    assert OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    assert cfg.private and not cfg.overwrite
    assert compose_config("export", ["checkpoint=x"], tmp_path).out == f"{tmp_path}/model"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("checkpoint=???", "no value for checkpoint"),
        ("push=name", "write push=ORG/name"),
        ("push=a/b/c", "push=a/b/c is not the name of a repository"),
        ("license=MIT License", "license='MIT License' is not an identifier of the hub, such as mit"),
        ("name=x${oc.env:HF_TOKEN}", "name holds the value of HF_TOKEN"),
        ("licence=mit", "Did you mean 'license'?"),
        ("onnx=perhaps", "onnx must be true or false, got 'perhaps'"),
    ],
)
def test_exports_without_sense_are_refused(
    override: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "5ec2e7" * 7)
    with pytest.raises((ValueError, HydraException)) as caught:
        check_export(compose(tmp_path, override))
    assert message in str(explain(caught.value) or caught.value)


def test_help_says_where_settings_are_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, PROGRAM, "license=mit", "--help") == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100 and "conf/export.yaml" in text and "push=ORG/NAME" in text


def test_refusals_come_before_anything_is_read(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hybrid_ir.encoder.build.torch.load", lambda *_, **__: pytest.fail("the checkpoint was read"))
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    monkeypatch.setattr("hybrid_ir.export.push.get_token", lambda: None)
    command = [f"checkpoint={make_checkpoint()}", f"out={tmp_path / 'out'}", f"paths.outputs={tmp_path / 'outputs'}"]
    for wrong, message in (
        (["push=org/name"], "error: push=org/name needs a token"),
        ([f"out={tmp_path}"], "which no export wrote"),
        (["checkpoint=nowhere"], "error: no checkpoint at nowhere"),
    ):
        assert run_command(monkeypatch, PROGRAM, *command, *wrong) == 1
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run with adapters in `run`, and what it was trained and judged on."""
    folder = tmp_path_factory.mktemp("trained")
    prompts = ["model.query_prefix='Query: '", "model.passage_prefix='Passage: '", "model.max_query_length=12"]
    configure = tiny_runs(folder)
    Run(configure("model.lora.rank=2", "trainer.max_epochs=1", "optim.learning_rate=1e-2", *prompts)).fit()
    return folder


def test_evaluating_an_export_gives_the_numbers_of_the_checkpoint(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a word about pooling, prompts and limits, three ways; and with one, it is done and said."""
    out = tmp_path / "model"
    places = [f"paths.outputs={tmp_path / 'outputs'}", f"paths.cache={tmp_path / 'cache'}"]
    assert run_command(monkeypatch, PROGRAM, f"checkpoint={trained / 'run'}", f"out={out}", *places) == 0
    assert f"is exported to {out}" in capsys.readouterr().out
    choice = ["eval=xquad_r", "eval.benchmarks.xquad_r.name=world", "eval.benchmarks.xquad_r.folder=world"]
    results = {}
    for name, system in {
        "checkpoint": [f"checkpoint={trained / 'run'}"],
        "export": [f"checkpoint={out}"],
        "named": [f"model.name_or_path={out}"],
        "other": [f"model.name_or_path={out}", "model.query_prefix=''"],
    }.items():
        command = [*system, *choice, f"paths.data={trained / 'data'}", *places, f"name={name}", "device=cpu"]
        assert run_command(monkeypatch, "evaluate.py", *command, "cache_gib=0") == 0, capsys.readouterr().err
        results[name] = json.loads(next((tmp_path / "outputs" / name).glob("*/results.json")).read_text())
    expected = results["checkpoint"]["metrics"]
    for name in ("export", "named"):
        assert results[name]["metrics"] == pytest.approx(expected, abs=1e-6)
        assert results[name]["provenance"]["model"] == results["checkpoint"]["provenance"]["model"]
    assert results["named"]["provenance"]["config"]["model"]["query_prefix"] == "Query: "
    assert results["named"]["provenance"]["config"]["model"]["max_query_length"] == 12
    assert results["other"]["provenance"]["model"]["query_prefix"] == ""
    assert results["other"]["metrics"] != pytest.approx(expected, abs=1e-6)
    card = (out / "README.md").read_text()
    assert "`parallel_jsonl`, 48 examples" not in card and "after 6 optimiser steps" in card
    assert "| LoRA | rank 2, alpha 16.0; merged into the weights |" in card
