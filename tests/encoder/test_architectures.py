"""Whatever transformers loads as an encoder embeds as it does there; what cannot work is refused in one line."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn
from transformers import AutoModel, PreTrainedTokenizerBase

from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.encoder.text_encoder import TextEncoder
from tests.encoder_fixtures import TEXTS

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2}
DISTILBERT = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16}
BACKBONES: dict[str, dict[str, Any]] = {
    "EuroBert": SHAPE | {"num_key_value_heads": 2, "pad_token_id": 0},
    "MPNet": SHAPE | {"pad_token_id": 0},
    "DebertaV2": SHAPE | RELATIVE,
    "RemBert": SHAPE | {"input_embedding_size": 16, "output_embedding_size": 16},
    "DistilBert": DISTILBERT,
    "ModernBert": SHAPE | {"pad_token_id": 0},
    "T5": T5,
    "Bert": SHAPE | {"is_decoder": True},
}


def save(folder: Path, kind: str, tokenizer: PreTrainedTokenizerBase, vocabulary: int | None = None) -> Path:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(vocab_size=vocabulary or len(tokenizer), **BACKBONES[kind])
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def build(folder: Path, **settings: Any) -> TextEncoder:
    return build_encoder(ModelConfig(name_or_path=str(folder), **settings), tuple, folder)


@pytest.mark.parametrize("kind", BACKBONES)
def test_vectors_are_those_of_transformers(kind: str, tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    folder = save(tmp_path, kind, tokenizer)
    encoder = build(folder)
    found = encoder.encode([*TEXTS, "a <pad> in a text"], "passage")
    plain: Any = AutoModel.from_pretrained(folder).eval()
    for vector, text in zip(found, [*TEXTS, "a <pad> in a text"], strict=True):
        with torch.no_grad():
            states = (plain.encoder if kind == "T5" else plain)(**tokenizer([text], return_tensors="pt"))
        expected = nn.functional.normalize(states.last_hidden_state.mean(1), dim=-1)[0]
        torch.testing.assert_close(vector, expected, rtol=1e-5, atol=1e-5)
    again = TextEncoder.from_blueprint(encoder.blueprint())  # as a checkpoint is loaded
    again.load_state_dict(encoder.state_dict())
    torch.testing.assert_close(again.encode(TEXTS, "passage"), found[: len(TEXTS)], rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["DistilBert", "ModernBert", "T5", "Bert"])
def test_dropout_is_that_of_every_architecture(kind: str, tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    backbone = build(save(tmp_path, kind, tokenizer), dropout=0.25).backbone
    assert {module.p for module in backbone.modules() if isinstance(module, nn.Dropout)} == {0.25}


def test_what_cannot_work_is_refused(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"token ids up to \d+, but embeddings of 50 tokens"):
        build(save(tmp_path / "small", "Bert", tokenizer, 50))
    shape = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "encoder_layers": 1, "decoder_layers": 1}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = transformers.BartConfig(vocab_size=len(tokenizer), **shape, **heads)  # type: ignore[arg-type]
    transformers.BartModel(config).save_pretrained(tmp_path / "bart")
    tokenizer.save_pretrained(tmp_path / "bart")
    with pytest.raises(ValueError, match=r"^a bart model has a decoder, too"):
        build(tmp_path / "bart")


def test_a_tokenizer_without_padding_works(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    folder = save(tmp_path, "Bert", tokenizer)
    expected = build(folder).encode(TEXTS, "query")
    bare = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, eos_token="</s>")
    bare.save_pretrained(folder)
    torch.testing.assert_close(build(folder).encode(TEXTS, "query"), expected, rtol=0, atol=0)
