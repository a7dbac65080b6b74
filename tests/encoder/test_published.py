"""Published models are used as they say themselves, and refused where this encoder cannot be what they are."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.loading.published import as_published, load_encoder
from hybrid_ir.encoder.loading.sentence_layout import read_usage
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.sources.hub.repository import MODEL_PINS
from tests.encoder_fixtures import TEXTS

MODULES = [
    {"type": "sentence_transformers.models.Transformer", "path": ""},
    {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
]
DENSE = {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}


def publish(folder: Path, modules: list[dict[str, str]] = MODULES, **files: Any) -> Path:
    """Write the files of sentence-transformers beside a backbone; `pooling`, `dense`, `bert` and `settings`."""
    places = {"pooling": "1_Pooling/config.json", "dense": "2_Dense/config.json", "bert": "sentence_bert_config.json",
              "settings": "config_sentence_transformers.json"}  # fmt: skip
    contents = {"pooling": {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}} | files
    for name, content in contents.items():
        (folder / places[name]).parent.mkdir(exist_ok=True)
        (folder / places[name]).write_text(json.dumps(content))
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_models_that_the_library_wrote_itself(backbone_folder: Path, tmp_path: Path, mode: str) -> None:
    """In its present layout, with a default prompt and prompts of its own."""
    transformer = Transformer(str(backbone_folder), max_seq_length=20)
    parts = [transformer, Pooling(32, pooling_mode=mode), Normalize()]  # type: ignore[arg-type]
    prompts = {"query": "ask: ", "corpus": "text: ", "other": "x: "}
    model = SentenceTransformer(modules=parts, device="cpu", prompts=prompts, default_prompt_name="other")
    model.save(str(tmp_path / "model"))
    encoder = load_encoder(tmp_path / "model")
    assert encoder.pooling == mode and encoder.tokenizer.max_lengths == {"query": 20, "passage": 20}
    texts = [*TEXTS, "word " * 100]
    again = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert abs(encoder.encode(texts, "query").numpy() - again.encode_query(texts)).max() < 1e-6
    assert abs(encoder.encode(texts, "passage").numpy() - again.encode_document(texts)).max() < 1e-6


def test_a_model_of_the_hub_by_its_bare_name(
    backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the hub's cache, as where there is no network."""
    publish(backbone_folder, bert={"max_seq_length": 16}, settings={"prompts": {"query": "q: "}})
    repository = tmp_path / "hub" / "models--org--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40)
    shutil.copytree(backbone_folder, repository / "snapshots" / ("a" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    encoder = build_encoder(as_published(ModelConfig(name_or_path="org/name")), tuple, tmp_path)
    assert encoder.tokenizer.prefixes["query"] == "q: " and encoder.tokenizer.max_lengths["query"] == 16
    assert encoder.describe() == load_encoder(backbone_folder).describe()


def test_a_pinned_model_says_how_it_is_used_at_the_commit_of_its_weights(
    backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "hub" / "models--org--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("b" * 40)
    for commit in "ab":
        publish(backbone_folder, settings={"prompts": {"query": f"{commit}: "}})
        shutil.copytree(backbone_folder, repository / "snapshots" / (commit * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(MODEL_PINS, "org/name", "a" * 40)  # type: ignore[arg-type]
    assert as_published(ModelConfig(name_or_path="org/name")).query_prefix == "a: "
    assert as_published(ModelConfig(name_or_path="org/name", revision="main")).query_prefix == "b: "


@pytest.mark.parametrize(
    ("settings", "prefixes"),
    [
        ({}, ("", "")),
        ({"prompts": {"query": "q: ", "passage": "p: "}}, ("q: ", "p: ")),
        ({"prompts": {"document": "d: ", "passage": "p: "}}, ("", "d: ")),
        ({"prompts": {"query": "", "x": "x: "}, "default_prompt_name": "x"}, ("", "x: ")),
        ({"prompts": {"query": None, "document": None}}, ("", "")),
    ],
)
def test_prompts_are_those_of_encode_query_and_encode_document(
    backbone_folder: Path, settings: dict[str, Any], prefixes: tuple[str, str]
) -> None:
    usage = read_usage(str(publish(backbone_folder, settings=settings)))
    assert usage is not None and (usage.query_prefix, usage.passage_prefix) == prefixes


def test_what_is_given_goes_before_what_the_model_says(backbone_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    publish(backbone_folder, bert={"max_seq_length": 16}, settings={"prompts": {"query": "q: "}})
    config = ModelConfig(name="labse", name_or_path=str(backbone_folder), pooling="cls", query_prefix="Query: ")
    used = as_published(config, {"name_or_path", "pooling"})
    assert (used.name, used.pooling, used.query_prefix) == ("backbone", "cls", "q: ")
    assert (used.passage_prefix, used.max_query_length, used.max_passage_length) == ("", 16, 16)
    assert "says pooling='mean'; the command line's pooling='cls' is used" in caplog.text


def test_a_plain_folder_does_not_say_how_it_pools(backbone_folder: Path) -> None:
    config = ModelConfig(name_or_path=str(backbone_folder), pooling="cls", query_prefix="Query: ")
    with pytest.raises(ValueError, match=r"does not say how .* model.pooling=mean, cls or pooler"):
        as_published(config)
    used = as_published(config, {"pooling"})
    assert (used.pooling, used.query_prefix, used.max_query_length) == ("cls", "", 256)


@pytest.mark.parametrize(
    ("modules", "files", "message"),
    [
        ([*MODULES, {"type": "a.b.Router", "path": "2"}], {}, "has a module Router"),
        ([*MODULES, MODULES[1]], {}, "several modules of one kind"),
        ([{"type": "x.Transformer", "path": "0_T"}, MODULES[1]], {}, "no transformer in its folder itself"),
        (MODULES, {"pooling": {"pooling_mode": ["cls", "mean"]}}, "pools token states by cls and mean"),
        (MODULES, {"pooling": {"pooling_mode_max_tokens": True}}, "pools token states by max"),
        (MODULES, {"pooling": {"pooling_mode": "mean", "include_prompt": False}}, "leaves the prompt out"),
        (MODULES, {"bert": {"do_lower_case": True}}, "lower-cases texts"),
        (MODULES, {"settings": {"similarity_fn_name": "dot"}}, "compares vectors of any length by dot"),
        ([*MODULES, DENSE], {"dense": {"activation_function": "torch.nn.Tanh"}}, r"a dense layer \(Tanh, after mean\)"),
        ({"a": 1}, {}, "is not a list of modules"),
        (MODULES, {"settings": {"prompts": ["q: "]}}, "has prompts .* that are not texts by name"),
        (MODULES, {"settings": {"prompts": {"query": 1}}}, "has prompts .* that are not texts by name"),
        (MODULES, {"bert": {"max_seq_length": "512"}}, "max_seq_length = '512' in its sentence_bert_config.json"),
        (MODULES, {"bert": {"max_seq_length": 0}}, "max_seq_length = 0 in its"),
        (MODULES, {"pooling": {"pooling_mode": [{}]}}, "pools token states by {}"),
    ],
)
def test_other_models_are_left_to_their_library(
    backbone_folder: Path, modules: Any, files: dict[str, Any], message: str
) -> None:
    publish(backbone_folder, modules, **files)
    with pytest.raises(ValueError, match=rf"{message}.*baseline=sentence_transformers baseline.name_or_path="):
        load_encoder(backbone_folder)


def test_damaged_and_missing_models_are_named(backbone_folder: Path) -> None:
    publish(backbone_folder)
    (backbone_folder / "1_Pooling" / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"1_Pooling/config.json:1: not JSON"):
        load_encoder(backbone_folder)
    (backbone_folder / "1_Pooling" / "config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"1_Pooling/config.json: holds a list; expected a JSON object"):
        load_encoder(backbone_folder)
    with pytest.raises(ValueError, match="nowhere is not a folder"):
        as_published(ModelConfig(name_or_path="./nowhere"))
    with pytest.raises(ValueError, match="cannot reach the model nobody/nothing"):
        as_published(ModelConfig(name_or_path="nobody/nothing"))
    shutil.rmtree(backbone_folder / "1_Pooling")
    with pytest.raises(ValueError, match="pools token states by nothing"):
        load_encoder(backbone_folder)
    (backbone_folder / "modules.json").unlink()
    for name in ("intfloat/multilingual-e5-small", backbone_folder):  # of the hub, and without its modules.json
        with pytest.raises(ValueError, match=f"no checkpoint at {name}; .* by model.name_or_path={name}"):
            load_encoder(Path(name))
