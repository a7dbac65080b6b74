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
from tests.encoder.test_published import publish
from tests.security.conftest import Payload, changed

CPU = torch.device("cpu")


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def extend(path: Path, entry: Any) -> None:
    """A JSON file with another entry, or other entries."""
    content = json.loads(path.read_text(encoding="utf-8"))
    write(path, content | entry if isinstance(content, dict) else [*content, entry])


@pytest.fixture
def sentence_folder(backbone_folder: Path) -> Path:
    """A folder that sentence-transformers loads."""
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in kinds.items()]
    for place, entry in enumerate(modules):
        entry |= {"idx": place, "name": str(place)}  # type: ignore[dict-item]
    (backbone_folder / "2_Normalize").mkdir()
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    return publish(backbone_folder, modules, pooling=pooling, bert={"max_seq_length": 32, "do_lower_case": False})


def plant_pickle(folder: Path, proof: Path) -> None:
    """Pickled weights in place of safetensors, and a configuration without a dtype."""
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Payload(proof)}, folder / "pytorch_model.bin")
    config = json.loads((folder / "config.json").read_text())
    write(folder / "config.json", {key: value for key, value in config.items() if "dtype" not in key})


def build(name: str, **options: Any) -> Any:
    config = ModelConfig(name_or_path=name, **options)
    return build_encoder(config, tuple, Path(name))


LOADERS = pytest.mark.parametrize("load", [SentenceTransformerEncoder, build], ids=["sentence", "backbone"])
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
    extend(sentence_folder / "modules.json", module)
    with pytest.raises(ValueError, match=r"modules\.json"):
        SentenceTransformerEncoder(str(sentence_folder))


def plant_dense(folder: Path, proof: Path) -> None:
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    extend(folder / "modules.json", dense)
    write(folder / "3_Dense" / "config.json", {"in_features": 32, "out_features": 32})
    torch.save({"linear.weight": Payload(proof)}, folder / "3_Dense" / "pytorch_model.bin")


def plant_activation(folder: Path, proof: Path) -> None:
    plant_dense(folder, proof)
    extend(folder / "3_Dense" / "config.json", {"activation_function": "torch.utils.collect_env.run"})


def plant_code(folder: Path, proof: Path) -> None:
    """A configuration that names Python files of its own."""
    (folder / "evil.py").write_text(f"import os\nos.mkdir({str(proof)!r})\n")
    named = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    extend(folder / "config.json", {"model_type": "evil", "auto_map": named})


def plant_plain_pickle(folder: Path, proof: Path) -> None:
    plant_pickle(folder, proof)
    (folder / "modules.json").unlink()


def plant_adapter(folder: Path, _: Path) -> None:
    write(folder / "adapter_config.json", {"base_model_name_or_path": "somebody/model"})


def planted_config(**settings: Any) -> Callable[[Path, Path], None]:
    return lambda folder, _: extend(folder / "config.json", settings)


NOT_WHOLE = "is not a complete Hugging Face model"
POOLER = {"pooling": "pooler", "max_query_length": 32}
HUB = r"config\.json: .*(kernel (of|from) the hub|model within the model)"
PLANTED: dict[str, tuple[Callable[[Path, Path], None], str, str]] = {  # and what each loader says
    "pickle": (plant_pickle, "weights", NOT_WHOLE),
    "plain pickle": (plant_plain_pickle, "weights", NOT_WHOLE),
    "pickled dense": (plant_dense, "weights", NOT_WHOLE),
    "activation of dense": (plant_activation, "activation_function is", NOT_WHOLE),
    "code": (plant_code, "contains custom code", NOT_WHOLE),
    "adapter": (plant_adapter, "holds an adapter", "holds an adapter"),
    "kernel": (planted_config(attn_implementation="somebody/kernel"), HUB, HUB),
    "private kernel": (planted_config(_attn_implementation="somebody/kernel"), HUB, HUB),
    "inner kernel": (planted_config(text_config={"_attn_implementation_internal": "somebody/kernel"}), HUB, HUB),
    "inner model": (planted_config(backbone="somebody/model", use_timm_backbone=True), HUB, HUB),
    "deep model": (planted_config(vision_config={"backbone_config": {"model_type": "resnet"}}), HUB, HUB),
    "quantizer": (planted_config(quantization_config={"quant_method": "somebody"}), HUB, HUB),
}


@pytest.mark.parametrize("attack", PLANTED)
@LOADERS
def test_a_folder_of_a_model_runs_nothing_and_names_no_other(
    sentence_folder: Path, proof: Path, attack: str, load: Callable[..., Any]
) -> None:
    plant, *messages = PLANTED[attack]
    plant(sentence_folder, proof)
    with pytest.raises(ValueError, match=messages[load is build]):
        load(str(sentence_folder), **(POOLER if load is build and "dense" in attack else {}))
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
    with pytest.raises(ValueError, match="must be a plain name, not a path"):
        load_checkpoint_encoder(checkpoint)
    assert not (tmp_path / "escaped.json").exists()


BLUEPRINTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no backbone": lambda blueprint: blueprint.pop("backbone"),
    "architecture": lambda blueprint: blueprint["backbone"].update(model_type="evil"),
    "mistyped": lambda blueprint: blueprint["backbone"].update(hidden_size="wide"),
    "huge": lambda blueprint: blueprint["backbone"].update(hidden_size=2**40, num_attention_heads=1),
    "lora": lambda blueprint: blueprint.update(lora={"rank": 1, "path": "x"}),
    "tokenizer": lambda blueprint: blueprint.update(tokenizer_files=["x"]),
    "vocabulary": lambda blueprint: blueprint["tokenizer_files"].update({"tokenizer.json": "{"}),
    "model of the hub": lambda blueprint: blueprint["backbone"].update(
        model_type="detr", backbone="somebody/model", use_timm_backbone=False, backbone_config=None
    ),
    "timm": lambda blueprint: blueprint["backbone"].update(
        model_type="detr", backbone="resnet50", use_timm_backbone=True
    ),
    "vision": lambda blueprint: blueprint["backbone"].update(model_type="vision-encoder-decoder"),
    "rag": lambda blueprint: blueprint["backbone"].update(model_type="rag"),
    "list": lambda blueprint: blueprint["backbone"].update(model_type=["bert"]),
    "inner": lambda blueprint: blueprint["backbone"].update(backbone="somebody/model", use_pretrained_backbone=True),
}


@pytest.mark.parametrize("change", BLUEPRINTS.values(), ids=BLUEPRINTS)
def test_a_checkpoint_describes_a_text_encoder_and_contacts_no_hub(
    checkpoint: Path, change: Callable[[dict[str, Any]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket.socket, "connect", connect)
    changed(checkpoint, lambda content: change(content["encoder_blueprint"]))
    with pytest.raises(ValueError, match=r"last\.ckpt describes an encoder that cannot be built"):
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
    encoder = SentenceTransformerEncoder(str(sentence_folder), device="cpu")
    vectors = encoder.encode(["yen"], "query")  # an ordinary folder is loaded
    assert vectors.shape == (1, 32) and torch.allclose(vectors.norm(dim=1), torch.ones(1))
    described = encoder.describe()
    inside = Path(shutil.copytree(sentence_folder, tmp_path / "index" / "model"))
    reference = Reference("baseline", {"_target_": target, "name_or_path": str(inside)}, described)
    with pytest.raises(ValueError, match="give it yourself: encoder="):
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
    value, described = {"_target_": BASELINES[0], "dimension": 8, "seed": 1}, RandomEncoder(8, 1).describe()
    assert Reference("baseline", value, described).load(tmp_path, CPU).describe() == described
    with pytest.raises(ValueError, match="does not name its encoder"):
        Reference.read(tmp_path / "index.json", facts)
