"""Models of somebody else: folders of sentence-transformers, backbones, and what a checkpoint says of its encoder."""

import json
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from hybrid_ir.encoder.build import build_encoder, load_checkpoint_encoder, read_checkpoint
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.baselines.random_scores import RandomEncoder
from hybrid_ir.evaluation.baselines.sentence_transformers import SentenceTransformerEncoder
from hybrid_ir.search.index.reference import BASELINES, SENTENCE, Reference
from tests.security.conftest import Payload, changed

CPU = torch.device("cpu")


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def sentence_folder(backbone_folder: Path) -> Path:
    """A folder that sentence-transformers loads."""
    modules = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    write(
        backbone_folder / "modules.json",
        [
            {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for place, (kind, path) in enumerate(modules.items())
        ],
    )
    write(backbone_folder / "sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": False})
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    write(backbone_folder / "1_Pooling" / "config.json", pooling)
    (backbone_folder / "2_Normalize").mkdir()
    return backbone_folder


def plant_pickle(folder: Path, proof: Path) -> None:
    """Pickled weights in place of safetensors, and a configuration without a dtype."""
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Payload(proof)}, folder / "pytorch_model.bin")
    config = json.loads((folder / "config.json").read_text())
    write(folder / "config.json", {key: value for key, value in config.items() if "dtype" not in key})


def test_an_ordinary_sentence_transformers_folder_is_loaded(sentence_folder: Path) -> None:
    vectors = SentenceTransformerEncoder(str(sentence_folder), device="cpu").encode(["yen"], "query")
    assert vectors.shape == (1, 32)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(1))


LOADING = {"weights_only": False, "use_safetensors": False}


@pytest.mark.parametrize("name", ["sentence_bert_config.json", "sentence_xlnet_config.json"])
@pytest.mark.parametrize(
    "settings",
    [
        {"model_args": LOADING},
        {"model_kwargs": LOADING},
        {"tokenizer_args": {"tokenizer_file": "/etc/hosts"}},
        {"config_kwargs": {"attn_implementation": "somebody/kernel"}},
        {"some_new_kwargs": {"a": 1}},
        {"modality_config": {"text": {"method": "save_pretrained"}}},
        {"modality_config": {"text": {"method": "forward", "method_kwargs": {"a": 1}}}},
        {"transformer_task": "text-generation"},
    ],
    ids=["model_args", "model_kwargs", "tokenizer", "config", "unknown", "method", "inner", "task"],
)
def test_a_sentence_transformers_folder_hands_no_arguments_on(
    sentence_folder: Path, proof: Path, settings: Mapping[str, Any], name: str
) -> None:
    plant_pickle(sentence_folder, proof)
    (sentence_folder / "sentence_bert_config.json").unlink()
    write(sentence_folder / name, {"max_seq_length": 32, **settings})
    with pytest.raises(ValueError, match=name) as caught:
        SentenceTransformerEncoder(str(sentence_folder))
    assert len(str(caught.value).splitlines()) == 1 and not proof.exists()


@pytest.mark.parametrize("modules", [True, False], ids=["modules", "plain"])
def test_pickled_weights_of_a_sentence_transformers_folder_are_refused(
    sentence_folder: Path, proof: Path, modules: bool
) -> None:
    """By themselves, without anything that asks for them."""
    plant_pickle(sentence_folder, proof)
    if not modules:
        (sentence_folder / "modules.json").unlink()
    with pytest.raises(ValueError, match="weights"):
        SentenceTransformerEncoder(str(sentence_folder))
    assert not proof.exists()


@pytest.mark.parametrize(
    "module",
    [
        {"type": "sentence_transformers.models.Router", "path": "3_Router"},
        {"type": "sentence_transformers.base.modules.router.Router", "path": "3_Router"},
        {"type": "sentence_transformers.models.CLIPModel", "path": ""},
        {"type": "sentence_transformers.util.misc.Dense", "path": "2_Dense"},
        {"type": "evil.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Dense", "path": "../elsewhere"},
        {"type": "sentence_transformers.models.Dense", "path": "/elsewhere"},
        {"type": "sentence_transformers.models.Transformer", "path": "", "kwargs": ["task"]},
        {"path": ""},
        "Transformer",
    ],
    ids=["router", "new_router", "clip", "disguised", "own", "parent", "absolute", "kwargs", "untyped", "mistyped"],
)
def test_a_sentence_transformers_folder_has_known_modules(sentence_folder: Path, module: Any) -> None:
    modules = json.loads((sentence_folder / "modules.json").read_text())
    write(sentence_folder / "modules.json", [*modules, module])
    with pytest.raises(ValueError, match=r"modules\.json"):
        SentenceTransformerEncoder(str(sentence_folder))


def test_a_dense_module_imports_nothing(sentence_folder: Path) -> None:
    modules = json.loads((sentence_folder / "modules.json").read_text())
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    write(sentence_folder / "modules.json", [*modules, dense])
    write(sentence_folder / "3_Dense" / "config.json", {"activation_function": "torch.utils.collect_env.run"})
    with pytest.raises(ValueError, match="activation_function is"):
        SentenceTransformerEncoder(str(sentence_folder))


CONFIGS = [
    {"attn_implementation": "somebody/kernel"},
    {"_attn_implementation": "somebody/kernel"},
    {"text_config": {"_attn_implementation_internal": "somebody/kernel"}},
    {"backbone": "somebody/model", "use_timm_backbone": True},
    {"vision_config": {"backbone_config": {"model_type": "resnet"}}},
    {"quantization_config": {"quant_method": "somebody"}},
]


@pytest.mark.parametrize("settings", CONFIGS, ids=range(len(CONFIGS)))
@pytest.mark.parametrize("load", [SentenceTransformerEncoder, lambda name: build(ModelConfig(name_or_path=name))])
def test_a_backbone_asks_for_no_kernel_and_no_other_model(
    sentence_folder: Path, settings: Mapping[str, Any], load: Callable[[str], Any]
) -> None:
    config = json.loads((sentence_folder / "config.json").read_text())
    write(sentence_folder / "config.json", config | dict(settings))
    with pytest.raises(ValueError, match=r"config\.json: .*(kernel from the hub|model within the model)"):
        load(str(sentence_folder))


def build(config: ModelConfig) -> Any:
    return build_encoder(config, tuple, Path(str(config.name_or_path)))


def test_an_adapter_loads_no_other_model(sentence_folder: Path) -> None:
    write(sentence_folder / "adapter_config.json", {"base_model_name_or_path": "somebody/model"})
    for load in (SentenceTransformerEncoder, lambda name: build(ModelConfig(name_or_path=name))):
        with pytest.raises(ValueError, match="holds an adapter"):
            load(str(sentence_folder))


def test_weights_of_a_backbone_with_a_payload_are_refused(backbone_folder: Path, proof: Path) -> None:
    plant_pickle(backbone_folder, proof)
    with pytest.raises(ValueError, match="holds no whole Hugging Face model"):
        build(ModelConfig(name_or_path=str(backbone_folder)))
    assert not proof.exists()


def test_dense_weights_with_a_payload_are_refused(backbone_folder: Path, proof: Path) -> None:
    write(backbone_folder / "modules.json", [{"path": "2_Dense", "type": "x.Dense"}])
    (backbone_folder / "2_Dense").mkdir()
    torch.save({"linear.weight": Payload(proof)}, backbone_folder / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(ValueError, match="holds no whole Hugging Face model"):
        build(ModelConfig(name_or_path=str(backbone_folder), pooling="pooler", max_query_length=32))
    assert not proof.exists()


def test_a_backbone_brings_no_code(backbone_folder: Path, proof: Path) -> None:
    """A folder, or a repository of the hub, whose configuration names Python files of its own."""
    (backbone_folder / "evil.py").write_text(f"import os\nos.mkdir({str(proof)!r})\n")
    settings = json.loads((backbone_folder / "config.json").read_text())
    settings |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    write(backbone_folder / "config.json", settings)
    with pytest.raises(ValueError, match="holds no whole Hugging Face model"):
        build(ModelConfig(name_or_path=str(backbone_folder)))
    assert not proof.exists()


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "inside"])
def test_a_checkpoint_with_a_payload_is_refused(whole: bool, tmp_path: Path, proof: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(Payload(proof) if whole else {"state_dict": {}, "x": Payload(proof)}, path)
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged, or not a checkpoint"):
        read_checkpoint(path)
    assert not proof.exists()


@pytest.mark.parametrize("name", ["../escaped.json", "{folder}/escaped.json", "a/b.json", ".."])
def test_a_checkpoint_writes_no_file_elsewhere(checkpoint: Path, name: str, tmp_path: Path) -> None:
    name = name.format(folder=tmp_path)
    changed(checkpoint, lambda content: content["encoder_blueprint"]["tokenizer_files"].update({name: "{}"}))
    with pytest.raises(ValueError, match="which is no name but a path"):
        load_checkpoint_encoder(checkpoint)
    assert not (tmp_path / "escaped.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda blueprint: blueprint.pop("backbone"),
        lambda blueprint: blueprint["backbone"].update(model_type="evil"),
        lambda blueprint: blueprint["backbone"].update(hidden_size="wide"),
        lambda blueprint: blueprint["backbone"].update(hidden_size=2**40, num_attention_heads=1),
        lambda blueprint: blueprint.update(lora={"rank": 1, "path": "x"}),
        lambda blueprint: blueprint.update(tokenizer_files=["x"]),
        lambda blueprint: blueprint["tokenizer_files"].update({"tokenizer.json": "{"}),
    ],
    ids=["backbone", "architecture", "mistyped", "huge", "lora", "tokenizer", "vocabulary"],
)
def test_a_malformed_description_of_an_encoder_is_one_message(
    checkpoint: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    changed(checkpoint, lambda content: change(content["encoder_blueprint"]))
    with pytest.raises(ValueError, match=r"last\.ckpt describes no encoder that can be built"):
        load_checkpoint_encoder(checkpoint)


BLUEPRINTS = [
    {"model_type": "detr", "backbone": "somebody/model", "use_timm_backbone": False, "backbone_config": None},
    {"model_type": "detr", "backbone": "resnet50", "use_timm_backbone": True},
    {"model_type": "vision-encoder-decoder"},
    {"model_type": "rag"},
    {"model_type": ["bert"]},
    {"backbone": "somebody/model", "use_pretrained_backbone": True},
]


@pytest.mark.parametrize("settings", BLUEPRINTS, ids=range(len(BLUEPRINTS)))
def test_a_checkpoint_describes_a_text_encoder_and_contacts_no_hub(
    checkpoint: Path, settings: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket.socket, "connect", connect)
    changed(checkpoint, lambda content: content["encoder_blueprint"]["backbone"].update(settings))
    with pytest.raises(ValueError, match=r"last\.ckpt describes no encoder that can be built"):
        load_checkpoint_encoder(checkpoint)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("baseline", {"_target_": "os.mkdir", "path": "PROOF"}),
        ("baseline", {"_target_": BASELINES[0], "dimension": {"_target_": "os.mkdir", "path": "PROOF"}}),
        ("baseline", {"_target_": BASELINES[0], "dimension": "${oc.decode:'{_target_: os.mkdir, path: PROOF}'}"}),
        ("baseline", {"_target_": "hybrid_ir.evaluation.baselines.random_scores.np.save"}),
        ("model", {"name_or_path": "x", "attention": "somebody/kernel"}),
        ("model", {"name_or_path": "somebody/kernel", "attention": "${name_or_path}"}),
        ("model", {"name_or_path": {"_target_": "os.mkdir", "path": "PROOF"}}),
        ("model", {"name_or_path": "x", "compile": "inductor"}),
    ],
    ids=["target", "inner", "resolver", "import", "kernel", "interpolation", "name", "compiler"],
)
def test_an_index_names_no_code(source: str, value: dict[str, Any], tmp_path: Path, proof: Path) -> None:
    planted = json.loads(json.dumps(value).replace("PROOF", str(proof)))
    with pytest.raises(ValueError, match="the index names an encoder that could run code"):
        Reference(source, planted, {}).load(tmp_path, CPU)
    assert not proof.exists()


@pytest.mark.parametrize(
    "target", [SENTENCE, "hybrid_ir.retrieval.baselines.sentence_transformers.SentenceTransformerEncoder"]
)
def test_an_index_has_no_library_load_a_model_that_the_user_has_not_named(
    sentence_folder: Path, tmp_path: Path, target: str
) -> None:
    """A folder inside the index, or a name on the hub; with `encoder=` the user names it."""
    described = SentenceTransformerEncoder(str(sentence_folder), device="cpu").describe()
    inside = Path(shutil.copytree(sentence_folder, tmp_path / "index" / "model"))
    reference = Reference("baseline", {"_target_": target, "name_or_path": str(inside)}, described)
    with pytest.raises(ValueError, match="name it yourself: encoder="):
        reference.load(tmp_path, CPU)
    with pytest.raises(ValueError, match="different: name_or_path"):  # read, and found to be another
        reference.load(tmp_path, CPU, str(inside))
    assert reference.load(tmp_path, CPU, str(sentence_folder)).describe() == described


@pytest.mark.parametrize(
    "facts",
    [{}, {"source": "checkpoint", "value": {}}, {"source": "baseline", "value": "x"}, {"source": "code", "value": {}}],
    ids=range(4),
)
def test_a_mistyped_reference_is_one_message(tmp_path: Path, facts: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not say what its encoder is"):
        Reference.read(tmp_path / "index.json", facts)


def test_an_index_of_a_baseline_is_read(tmp_path: Path) -> None:
    value, described = {"_target_": BASELINES[0], "dimension": 8, "seed": 1}, RandomEncoder(8, 1).describe()
    assert Reference("baseline", value, described).load(tmp_path, CPU).describe() == described
