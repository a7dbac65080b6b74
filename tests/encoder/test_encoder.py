import json
import os
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase
from transformers.utils import is_flash_attn_2_available

from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.model_config import ModelConfig, ScratchConfig
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, Tokens, tokenizer_from_files, train_tokenizer
from tests.encoder_fixtures import TEXTS, tiny_backbone


def naive_vectors(encoder: TextEncoder, texts: list[str], kind: str) -> torch.Tensor:
    """One text at a time, so without padding: transformers' own path and pooling by hand."""
    rows = []
    for text in texts:
        ids = encoder.tokenizer.tokenizer(f"{kind}: {text}", return_tensors="pt", truncation=True, max_length=32)
        states = encoder.backbone(input_ids=ids["input_ids"]).last_hidden_state[0]
        row = states.mean(0) if encoder.pooling == "mean" else states[0]
        if encoder.pooling == "pooler":
            row = torch.tanh(encoder.backbone.pooler.dense(states[0]))
        rows.append(row / row.norm())
    return torch.stack(rows)


@pytest.mark.parametrize("pooling", ["mean", "cls", "pooler"])
@pytest.mark.parametrize("max_tokens", [1, 40])
def test_vectors_are_those_of_each_text_alone(
    tokenizer: PreTrainedTokenizerBase, pooling: str, max_tokens: int
) -> None:
    texts = [*TEXTS, "word " * 100]  # the last is truncated
    pieces = TextTokenizer(tokenizer, "query: ", "passage: ", 32, 32)
    encoder = TextEncoder(tiny_backbone(tokenizer), pieces, pooling, max_tokens)
    vectors = encoder.encode(texts, "passage")
    torch.testing.assert_close(vectors, naive_vectors(encoder, texts, "passage"), atol=1e-6, rtol=1e-5)
    assert encoder.training  # encode leaves the mode as it was


def test_query_and_passage_have_their_own_prefix_and_length(tokenizer: PreTrainedTokenizerBase) -> None:
    pieces = TextTokenizer(tokenizer, "query: ", "passage: ", 5, 9)
    assert pieces(["a long text about nothing in particular"] * 2, "query").lengths == (5, 5)
    assert pieces(["a long text about nothing in particular"], "passage").lengths == (9,)
    assert [tokenizer.decode(pieces(["x"], kind).ids[1:3])[:2] for kind in ("query", "passage")] == [" q", " p"]


def test_texts_are_padded_to_the_longest_chosen_one() -> None:
    lengths = (3, 1, 5, 2)
    tokens = Tokens(torch.arange(10, 21), lengths)
    texts = tokens.ids.split(lengths)
    for rows in ([2, 0, 3], [3], [1, 3], [0, 1, 2, 3]):  # the last text is not the longest
        ids, mask = tokens.padded(rows, padding=7)
        expected = pad_sequence([texts[row] for row in rows], batch_first=True, padding_value=7)
        assert torch.equal(ids, expected) and torch.equal(mask, (expected != 7).long())
        assert ids.dtype == mask.dtype == torch.int64


def test_blueprint_builds_the_same_encoder(encoder: TextEncoder) -> None:
    blueprint = json.loads(json.dumps(encoder.blueprint()))  # plain containers only
    copy = TextEncoder.from_blueprint(blueprint)
    copy.load_state_dict(encoder.state_dict())
    torch.testing.assert_close(copy.encode(TEXTS, "query"), encoder.encode(TEXTS, "query"), rtol=0, atol=0)


def test_description_is_of_the_content_not_of_the_place(backbone_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(backbone_folder, tmp_path / "elsewhere")
    here, there = (
        build_encoder(ModelConfig(name="x", name_or_path=str(folder), pooling="mean"), list, tmp_path)
        for folder in (backbone_folder, tmp_path / "elsewhere")
    )
    there.encode(TEXTS, "query")  # leaves traces in the tokenizer
    described = here.describe()
    assert (
        described
        == there.describe()
        == TextEncoder.from_blueprint(here.blueprint()).describe() | {"weights": described["weights"]}
    )
    with torch.no_grad():
        next(there.backbone.parameters()).view(-1)[0] += 1
    changed = there.describe()
    assert {key for key in described if described[key] != changed[key]} == {"weights"}
    here.tokenizer.prefixes["query"] = "other: "
    assert {key for key, value in here.describe().items() if value != described[key]} == {"query_prefix"}


def test_learned_vocabulary_is_deterministic_and_knows_every_text(tmp_path: Path) -> None:
    config = ModelConfig(
        scratch=ScratchConfig(hidden_size=32, heads=2, vocab_size=400),
        max_query_length=64,
        max_passage_length=64,
        attention="eager",
    )
    first, second = (build_encoder(config, lambda: TEXTS, tmp_path / folder) for folder in "ab")
    assert first.backbone.config._attn_implementation == "eager"
    files = first.tokenizer.files(), second.tokenizer.files()
    assert files[0] == files[1]
    tokenizer = tokenizer_from_files(files[0])
    unseen = "ελληνικά 🙂"
    assert tokenizer.decode(tokenizer(unseen)["input_ids"], skip_special_tokens=True).strip() == unseen


def test_a_learned_vocabulary_is_for_all_users_of_the_cache_and_leaves_nothing_where_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, plain = tmp_path / "made" / "tokenizer.json", tmp_path / "plain"
    train_tokenizer(TEXTS, 300, path)
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    path.unlink()
    monkeypatch.setattr(os, "replace", Mock(side_effect=OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        train_tokenizer(TEXTS, 300, path)
    assert not list(path.parent.iterdir())


def test_dense_layer_of_a_sentence_transformers_folder_becomes_the_pooler(backbone_folder: Path) -> None:
    """The layout of the LaBSE repository: Transformer, Pooling, 2_Dense, Normalize."""
    modules = [{"path": "", "type": "x.Transformer"}, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
    (backbone_folder / "modules.json").write_text(json.dumps(modules))
    (backbone_folder / "2_Dense").mkdir()
    weight, bias = torch.randn(32, 32), torch.randn(32)
    dense = backbone_folder / "2_Dense" / "model.safetensors"
    save_file({"linear.weight": weight, "linear.bias": bias}, dense)
    config = ModelConfig(name_or_path=str(backbone_folder), pooling="pooler")
    encoder = build_encoder(config, list, backbone_folder)
    assert torch.equal(encoder.backbone.pooler.dense.weight, weight)
    assert torch.equal(encoder.backbone.pooler.dense.bias, bias)


def test_pretrained_weights_are_float32_whatever_the_folder_says(
    tokenizer: PreTrainedTokenizerBase, backbone_folder: Path
) -> None:
    tiny_backbone(tokenizer).half().save_pretrained(backbone_folder)
    encoder = build_encoder(ModelConfig(name_or_path=str(backbone_folder)), list, backbone_folder)
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


def test_options_reach_the_backbone(backbone_folder: Path) -> None:
    config = ModelConfig(
        name_or_path=str(backbone_folder),
        freeze_embeddings=True,
        gradient_checkpointing=True,
        attention="eager",
        dropout=0.3,
    )
    encoder = build_encoder(config, list, backbone_folder)
    settings = encoder.backbone.config
    assert not encoder.backbone.get_input_embeddings().weight.requires_grad
    assert encoder.backbone.is_activation_checkpointing
    assert (settings._attn_implementation, settings.hidden_dropout_prob) == ("eager", 0.3)
    assert getattr(encoder.backbone, "pooler", None) is None  # unused parameters would stop DDP
    assert ModelConfig(attention="owner/kernel").attention == "owner/kernel"  # one of the hub; others are refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "one of model.name_or_path"),
        ({"name_or_path": "./nowhere"}, "nowhere is not a folder"),
        ({"name_or_path": "nobody/nothing"}, "cannot reach the backbone nobody/nothing.*experiment=quickstart"),
        ({"scratch": ScratchConfig(vocab_size=400, max_positions=16)}, "256, but custom takes 16 tokens at most"),
        ({"scratch": ScratchConfig(vocab_size=400, max_positions=256), "pooling": "max"}, "model.pooling is 'max'"),
    ],
)
def test_impossible_models_are_refused(settings: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder(ModelConfig(**settings), lambda: TEXTS, tmp_path)


@pytest.mark.skipif(is_flash_attn_2_available(), reason="flash attention is installed")
@pytest.mark.parametrize("scratch", [True, False])
def test_a_missing_package_is_named(scratch: bool, backbone_folder: Path, tmp_path: Path) -> None:
    source = {"scratch": ScratchConfig(vocab_size=400)} if scratch else {"name_or_path": str(backbone_folder)}
    with pytest.raises(ValueError, match="attention=flash_attention_2 needs a package that is not installed: Flash"):
        build_encoder(ModelConfig(**source, attention="flash_attention_2"), lambda: TEXTS, tmp_path)  # type: ignore[arg-type]
