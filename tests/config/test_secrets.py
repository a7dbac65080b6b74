"""Keys and tokens reach neither the configuration nor anything that a run writes."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.commands.mine import check_mine
from hybrid_ir.config.rules.system_rules import check_evaluate
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.config.secrets import HIDDEN, SECRETS, check_command, check_no_secrets, redact_logs, redacted
from hybrid_ir.launch.provenance import provenance
from tests.commands import run_command
from tests.compose import compose_config
from tests.training.conftest import tiny_data

SECRET = "5ec2e7" * 7
HUB_TOKEN = "hf_" + "aB3" * 12
W_AND_B_KEY = "wandb_v1_" + "Zk0" * 9


def test_a_secret_in_the_configuration_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = compose_config("train", ["logger=wandb"], tmp_path)
    for variable in SECRETS:
        with monkeypatch.context() as patch:
            patch.setenv(variable, SECRET)
            check_no_secrets(cfg)
            for value in (f"${{oc.env:{variable}}}", f"Bearer-{SECRET}"):
                other = OmegaConf.merge(cfg, {"logger": {"wandb": {"project": value}}})
                with pytest.raises(
                    ValueError, match=rf"logger\.wandb\.project holds the value of {variable}"
                ) as caught:
                    check_train(other)
                assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("program", "check"), [("evaluate", check_evaluate), ("mine", check_mine)])
def test_the_other_programs_refuse_them_too(
    program: str, check: Callable[[DictConfig], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with pytest.raises(ValueError, match="name holds the value of HF_TOKEN"):
        check(compose_config(program, [f"name=x{SECRET}"], tmp_path))


def test_a_run_writes_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The whole program with W&B, whose offline files, artifacts and logs are searched with everything else."""
    for variable in SECRETS:
        monkeypatch.setenv(variable, SECRET)
    for variable in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    places = [f"paths.outputs={tmp_path / 'outputs'}", f"paths.cache={tmp_path / 'cache'}", "logger=[csv,wandb]"]
    assert (
        run_command(monkeypatch, "train.py", *tiny_data(tmp_path), "debug=fast", "trainer.max_epochs=1", *places) == 0
    )
    assert SECRET not in "".join(capfd.readouterr())
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} >= {".wandb", ".yaml", ".log", ".json", ".ckpt"}
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


KINDS = r"(looks like a token|by its name|of a URL|a signed URL); it would be written"
PLANTED = [  # an override, and what of it must be seen nowhere
    (f"name={HUB_TOKEN}", HUB_TOKEN),
    (f"name=x-{W_AND_B_KEY}", W_AND_B_KEY),
    (f"+logger.csv.api_key={SECRET}", SECRET),
    (f"+logger.csv.settings={{api_key: {SECRET}}}", SECRET),
    (f"+data.corpora.squad_xtreme.token='{SECRET}'", SECRET),
    (f"paths.data=https://me:{SECRET}@host/data", SECRET),
    (f"paths.data=https://{SECRET}@host/data", SECRET),
    (f"name=x-github_pat_{'11Ab' * 8}", "11Ab" * 8),
    (f"name=api_org_{'aB3' * 12}", "aB3" * 12),
    (f"name=hf_oauth_{'aB3' * 12}", "aB3" * 12),
    (f"name=x-hf_jwt_{'aB3' * 12}", "aB3" * 12),
    (f"name={'5ec2e7ab' * 5}", "5ec2e7ab"),
    (f"paths.data=/tmp/{'5ec2e7ab' * 5}/x", "5ec2e7ab"),
    (f"paths.data=me:{SECRET}@host/data", SECRET),
    (f"paths.data='https://host/x?X-Amz-Signature={SECRET}&a=1'", SECRET),
    (f"+logger.csv.secret_key={SECRET}", SECRET),
    (f"+logger.csv.aws_access_key={SECRET}", SECRET),
    (f"+logger.csv.private_key={SECRET}", SECRET),
    (f"+logger.csv.pwd={SECRET}", SECRET),
    (f"+logger.csv.passphrase={SECRET}", SECRET),
    (f"+logger.csv.authorization='Basic-{SECRET}'", SECRET),
    (f"+logger.csv.token=[{SECRET},b]", SECRET),
    (f"+logger.csv.password={{a:{SECRET}}}", SECRET),
    ("+logger.csv.pwd=771177", "771177"),
    (f"+logger.csv.note={{{HUB_TOKEN}:1}}", HUB_TOKEN),
]


@pytest.mark.parametrize(("override", "secret"), PLANTED, ids=range(len(PLANTED)))
def test_a_secret_in_the_command_is_refused_by_form_and_by_name(override: str, secret: str) -> None:
    """Known to no variable of the environment. The configuration is refused as well, wherever it comes from."""
    with pytest.raises(ValueError, match=KINDS) as caught:
        check_command(["model=labse", override])
    assert secret not in str(caught.value) and override.split("=")[0] in str(caught.value)
    given, cfg = OverridesParser.create().parse_override(override), OmegaConf.create()
    OmegaConf.update(cfg, given.key_or_group, given.value())
    with pytest.raises(ValueError, match=KINDS):
        check_no_secrets(cfg)
    assert secret not in redacted(override) and HIDDEN in redacted(override)


@pytest.mark.parametrize(
    "word",
    ["model.max_tokens=512", "+x.token=null", "+x.api_key=${oc.env:WANDB_API_KEY}", "model.revision=" + "5ec2e7ab" * 5,
     "+x.path=/cache/snapshots/" + "5ec2e7ab" * 5 + "/config.json", "paths.data=/data/tokens",
     "+x.pwd=null", "+x.url=https://host/a@b", "hydra/launcher=joblib"],
)  # fmt: skip
def test_what_is_no_secret_is_let_through(word: str) -> None:
    check_command([word])
    assert redacted(word) == word


@pytest.mark.parametrize(
    "override",
    [
        f"+logger.csv.note={HUB_TOKEN}",
        f"paths.data=https://me:{HUB_TOKEN}@host",
        "name=${oc.env:KEPT}",  # an interpolation puts it into a folder, and no argument shows it
        "paths.outputs=OUT/${oc.env:KEPT}",
        "hydra.run.dir=OUT/${oc.env:KEPT}",
    ],
)
def test_nothing_of_a_refused_command_is_written(
    override: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Hydra records the command and makes the run's folder before the program begins: it does not come to that."""
    monkeypatch.setenv("KEPT", HUB_TOKEN)
    given = [f"paths.outputs={tmp_path / 'outputs'}", override.replace("OUT", str(tmp_path))]
    given = given[override.startswith("paths.outputs") :]
    assert run_command(monkeypatch, "train.py", "experiment=quickstart", *given) == 1
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said and override.split("=")[0] in said and HUB_TOKEN not in said
    assert not (tmp_path / "outputs").exists()
    assert not [path for path in tmp_path.rglob("*") if HUB_TOKEN in str(path)]


def test_logs_show_no_secret(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())  # put back afterwards
    redact_logs()
    redact_logs()
    log = logging.getLogger("somebody.else")
    log.warning("GET %s, header %s, %d%%", "https://me:pass@host/x", f"Bearer {SECRET}", 7)
    log.warning("token=%s", "abc")
    log.warning("nothing: %s", "x")
    try:
        raise OSError(f"GET https://me:pass@host failed with {SECRET}")
    except OSError:
        log.exception("broken")
    (*_, broken) = caplog.records
    assert SECRET not in caplog.text and "me:pass" not in caplog.text and "OSError: GET" in caplog.text
    assert SECRET not in str(broken.exc_text) and "Traceback" in str(broken.exc_text)
    caplog.records.pop()
    assert [record.getMessage() for record in caplog.records] == [
        f"GET https://{HIDDEN}@host/x, header Bearer {HIDDEN}, 7%", f"token={HIDDEN}", "nothing: x"
    ]  # fmt: skip


def test_provenance_hides_what_the_command_should_not_have_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/x/evaluate.py", f"name={HUB_TOKEN}", f"+a.password={SECRET}"])
    assert provenance()["command"] == ["evaluate.py", f"name={HIDDEN}", f"+a.password={HIDDEN}"]
