"""Attacks by files of somebody else: planted, and refused. `docs/security.md` says what is guaranteed."""

import ast
import json
import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from hybrid_ir.commands.report import main as report
from hybrid_ir.data.readers import mmarco, squad_xtreme
from hybrid_ir.data.store.availability import CODES, PATTERNS, Availability
from hybrid_ir.encoder.build import build_encoder, find_checkpoint, load_checkpoint_encoder, read_checkpoint
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.baselines.random_scores import RandomEncoder
from hybrid_ir.evaluation.benchmarks.lareqa import LAREQA_PINS
from hybrid_ir.launch.cli import explain
from hybrid_ir.launch.resuming import resume_point
from hybrid_ir.search.index.reference import BASELINES, Reference
from hybrid_ir.sources.cldr.relations import customs
from hybrid_ir.sources.formats import miracl_files as miracl
from hybrid_ir.sources.hub.model_pins import MODEL_PINS
from tests.commands import REPOSITORY
from tests.training.conftest import Configure, Run, tiny_runs

PACKAGE = REPOSITORY / "hybrid_ir"


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.proof),)


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """A folder that exists once an attack has worked."""
    return tmp_path / "attacked"


def test_the_payload_works(proof: Path) -> None:
    pickle.loads(pickle.dumps(Payload(proof)))
    assert proof.exists()


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "inside"])
def test_a_checkpoint_with_a_payload_is_refused(whole: bool, tmp_path: Path, proof: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(Payload(proof) if whole else {"state_dict": {}, "x": Payload(proof)}, path)
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged, or no checkpoint"):
        read_checkpoint(path)
    assert not proof.exists()


def test_weights_of_a_backbone_with_a_payload_are_refused(backbone_folder: Path, proof: Path) -> None:
    (backbone_folder / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Payload(proof)}, backbone_folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="is not a complete Hugging Face model"):
        build_encoder(ModelConfig(name_or_path=str(backbone_folder)), tuple, backbone_folder)
    assert not proof.exists()


def test_dense_weights_with_a_payload_are_refused(backbone_folder: Path, proof: Path) -> None:
    (backbone_folder / "modules.json").write_text(json.dumps([{"path": "2_Dense", "type": "x.Dense"}]))
    (backbone_folder / "2_Dense").mkdir()
    torch.save({"linear.weight": Payload(proof)}, backbone_folder / "2_Dense" / "pytorch_model.bin")
    config = ModelConfig(name_or_path=str(backbone_folder), pooling="pooler", max_query_length=32)
    with pytest.raises(ValueError, match="is not a complete Hugging Face model"):
        build_encoder(config, tuple, backbone_folder)
    assert not proof.exists()


def test_a_built_corpus_with_a_payload_is_refused(tmp_path: Path, proof: Path) -> None:
    for name in (PATTERNS, CODES):
        np.save(tmp_path / name, np.array([Payload(proof)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Availability.load(tmp_path)
    assert not proof.exists()


def test_a_backbone_brings_no_code(backbone_folder: Path, proof: Path) -> None:
    """A folder, or a repository of the hub, whose configuration names Python files of its own."""
    (backbone_folder / "evil.py").write_text(f"import os\nos.mkdir({str(proof)!r})\n")
    settings = json.loads((backbone_folder / "config.json").read_text())
    settings |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (backbone_folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="is not a complete Hugging Face model"):
        build_encoder(ModelConfig(name_or_path=str(backbone_folder)), tuple, backbone_folder)
    assert not proof.exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Configure, Path]:
    """How runs are configured, and the folder of one that was trained."""
    configure = tiny_runs(tmp_path_factory.mktemp("trained"))
    cfg = configure("trainer.max_epochs=1", "eval.at_start=false")
    Run(cfg).fit()
    return configure, Path(cfg.paths.run)


@pytest.fixture
def checkpoint(trained: tuple[Configure, Path], tmp_path: Path) -> Path:
    """The checkpoint in a copy of the run's folder."""
    return find_checkpoint(Path(shutil.copytree(trained[1], tmp_path / "run")))


def changed(checkpoint: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = torch.load(checkpoint, weights_only=True)
    change(content)
    torch.save(content, checkpoint)
    return checkpoint


@pytest.mark.parametrize("name", ["../escaped.json", "{folder}/escaped.json", "a/b.json", ".."])
def test_a_checkpoint_writes_no_file_elsewhere(checkpoint: Path, name: str, tmp_path: Path) -> None:
    name = name.format(folder=tmp_path)
    changed(checkpoint, lambda content: content["encoder_blueprint"]["tokenizer_files"].update({name: "{}"}))
    with pytest.raises(ValueError, match="must be a plain name, not a path"):
        load_checkpoint_encoder(checkpoint)
    assert not (tmp_path / "escaped.json").exists()


def test_a_checkpoint_names_no_code(checkpoint: Path, trained: tuple[Configure, Path], proof: Path) -> None:
    """`_target_` in its configuration and in that of its folder: nobody instantiates them. Kernels: nobody asks."""
    attack = {"_target_": "os.mkdir", "path": str(proof)}
    before = load_checkpoint_encoder(checkpoint).describe()

    def plant(content: dict[str, Any]) -> None:
        for group in ("model", "loss", "sampler", "eval", "callbacks", "trainer"):
            content["hyper_parameters"][group] = attack
        content["encoder_blueprint"]["backbone"] |= {
            "attn_implementation": "somebody/kernel", "_attn_implementation": "somebody/kernel", "_target_": "os.mkdir",
            "auto_map": {"AutoModel": "somebody/code--evil.Model", "AutoConfig": "somebody/code--evil.Config"},
        }  # fmt: skip

    changed(checkpoint, plant)
    run = checkpoint.parents[1]
    (run / "config.yaml").write_text(yaml.safe_dump({"model": attack, "loss": attack, "callbacks": {"x": attack}}))
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text(yaml.safe_dump({"model": attack}))
    encoder = load_checkpoint_encoder(find_checkpoint(run))
    assert "kernel" not in str(encoder.backbone.config._attn_implementation)
    assert encoder.describe()["weights"] == before["weights"]
    cfg = trained[0]("trainer.max_epochs=2")
    cfg.ckpt_path = str(checkpoint)
    with pytest.raises(ValueError, match="the checkpoint was trained with other values") as caught:
        resume_point(cfg)
    assert explain(caught.value) is not None
    assert not proof.exists()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("baseline", {"_target_": "os.mkdir", "path": "PROOF"}),
        ("baseline", {"_target_": BASELINES[0], "dimension": {"_target_": "os.mkdir", "path": "PROOF"}}),
        ("baseline", {"_target_": BASELINES[0], "dimension": "${oc.decode:'{_target_: os.mkdir, path: PROOF}'}"}),
        ("baseline", {"_target_": "hybrid_ir.evaluation.baselines.random_scores.np.save"}),
        ("model", {"name_or_path": "x", "attention": "somebody/kernel"}),
        ("model", {"name_or_path": "somebody/kernel", "attention": "${name_or_path}"}),
    ],
    ids=["target", "inner", "resolver", "import", "kernel", "interpolation"],
)
def test_an_index_names_no_code(source: str, value: dict[str, Any], tmp_path: Path, proof: Path) -> None:
    planted = json.loads(json.dumps(value).replace("PROOF", str(proof)))
    with pytest.raises(ValueError, match="the index names an encoder that could run code"):
        Reference(source, planted, {}).load(tmp_path, torch.device("cpu"))
    assert not proof.exists()


def test_an_index_of_a_baseline_is_read(tmp_path: Path) -> None:
    value, described = {"_target_": BASELINES[0], "dimension": 8, "seed": 1}, RandomEncoder(8, 1).describe()
    assert Reference("baseline", value, described).load(tmp_path, torch.device("cpu")).describe() == described


@pytest.mark.parametrize(
    "change",
    [
        lambda blueprint: blueprint.pop("backbone"),
        lambda blueprint: blueprint["backbone"].update(model_type="evil"),
        lambda blueprint: blueprint.update(lora={"rank": 1, "path": "x"}),
        lambda blueprint: blueprint.update(tokenizer_files=["x"]),
        lambda blueprint: blueprint["tokenizer_files"].update({"tokenizer.json": "{"}),
    ],
    ids=["backbone", "architecture", "lora", "tokenizer", "vocabulary"],
)
def test_a_malformed_description_of_an_encoder_is_one_message(
    checkpoint: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    changed(checkpoint, lambda content: change(content["encoder_blueprint"]))
    with pytest.raises(ValueError, match=r"last\.ckpt describes an encoder that cannot be built"):
        load_checkpoint_encoder(checkpoint)


def test_results_of_somebody_else_stay_in_the_report(checkpoint: Path, tmp_path: Path) -> None:
    """Names in them lead to no other folder and bring no script into the page."""
    run, evil = checkpoint.parents[1], "../../x<script>alert(1)</script>"
    for path in [run / "results.json", *run.glob("evaluations/*.json")]:
        path.write_text(path.read_text(encoding="utf-8").replace('"world', f'"{evil}'), encoding="utf-8")
    (run / "per_query.parquet").unlink()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    report([str(run), "--out", str(tmp_path / "place" / "report"), "--samples", "10"])
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert written and all(path.is_relative_to(tmp_path / "place" / "report") for path in written)
    page = (tmp_path / "place" / "report" / "report.html").read_text(encoding="utf-8")
    assert "alert(1)" in page and "<script>alert" not in page


def test_everything_from_the_hub_is_pinned_to_a_commit() -> None:
    revisions = [
        mmarco.REVISION, squad_xtreme.TRANSLATIONS_REVISION, squad_xtreme.ENGLISH_REVISION,
        miracl.CORPUS.revision, miracl.TOPICS.revision, *MODEL_PINS.values(),
    ]  # fmt: skip
    assert all(re.fullmatch("[0-9a-f]{40}", revision) for revision in revisions)
    for files in LAREQA_PINS.values():
        assert files.url.startswith("https://") and re.search("/[0-9a-f]{40}/", files.url)
        assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in files.sha256.values())


UNPINNED = {"google-bert/bert-base-multilingual-cased"}  # no commit of it could be looked up


def test_models_of_the_hub_are_pinned() -> None:
    files = sorted((REPOSITORY / "conf" / "model").glob("*.yaml"))
    names = {name for file in files if (name := yaml.safe_load(file.read_text()).get("name_or_path"))}
    assert names - UNPINNED == set(MODEL_PINS)


FORBIDDEN = {  # a call, and what must stand in it for it to be allowed
    "torch.load": "weights_only=True",
    "from_pretrained": "trust_remote_code=False",
    "from_config": "trust_remote_code=False",
    "SentenceTransformer": "trust_remote_code=False",
    "pickle.load": None, "pickle.loads": None, "joblib.load": None, "dill.load": None, "dill.loads": None,
    "eval": None, "exec": None, "compile": None, "os.system": None, "os.popen": None,
    "yaml.load": None, "yaml.unsafe_load": None, "extractall": None, "shelve.open": None,
    "load_from_checkpoint": None,
}  # fmt: skip
METHODS = ("from_pretrained", "from_config", "extractall", "load_from_checkpoint")
ARGUMENTS = ("allow_pickle=True", "trust_remote_code=True", "weights_only=False", "shell=True", "verify=False")
ALLOWED = {  # file, call: why
    (Path(customs.__file__).relative_to(PACKAGE).as_posix(), "pickle.loads"): "a file of the installed library Babel",
}


def forbidden_calls(source: str) -> Iterator[tuple[str, str]]:
    """What is forbidden in a call, and the call."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        call, name = ast.unparse(node), ast.unparse(node.func)
        for forbidden, needed in FORBIDDEN.items():
            meant = name == forbidden or (forbidden in METHODS and name.split(".")[-1] == forbidden)
            if meant and (needed is None or needed not in call):
                yield forbidden, call
        yield from ((argument, call) for argument in ARGUMENTS if argument in call)


def test_the_package_calls_nothing_that_runs_foreign_code() -> None:
    assert list(forbidden_calls("AutoModel.from_pretrained(x)\ntorch.load(f, weights_only=False)\neval('1')"))[2:]
    found = [
        (where, call)
        for path in sorted(PACKAGE.rglob("*.py"))
        for forbidden, call in forbidden_calls(path.read_text(encoding="utf-8"))
        if ((where := path.relative_to(PACKAGE).as_posix()), forbidden) not in ALLOWED
    ]
    assert found == []


def test_babel_is_asked_for_files_of_its_own_alone() -> None:
    """The one pickle that is read is found by Babel, which takes the last part of a name."""
    from babel import localedata

    own = Path(localedata.resolve_locale_filename("de")).parent
    assert Path(localedata.resolve_locale_filename("../../evil")).parent == own
    assert not [locale for locale in customs._locales().values() if "/" in locale or "." in locale]
