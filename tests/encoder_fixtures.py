"""A BERT of two layers with a vocabulary of its own, for every test that needs an encoder."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerBase

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, train_tokenizer

TEXTS = [
    "Which currency is used in Japan?",
    "In Japan people pay in yen.",
    "Welche Währung gilt in der Schweiz?",
    "日本的货币是什么？",
    "Какая валюта в Японии?",
    "yen",
]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerBase:
    return train_tokenizer(TEXTS * 3, 400, tmp_path_factory.mktemp("vocabulary") / "tokenizer.json")


def tiny_backbone(tokenizer: PreTrainedTokenizerBase, **settings: object) -> BertModel:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    dropout = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), 0.0)
    return BertModel(BertConfig(vocab_size=len(tokenizer), **{**shape, **dropout, **settings}))


@pytest.fixture
def encoder(tokenizer: PreTrainedTokenizerBase) -> TextEncoder:
    return TextEncoder(
        tiny_backbone(tokenizer), TextTokenizer(tokenizer, "query: ", "passage: ", 32, 32), max_tokens=64
    )


@pytest.fixture
def backbone_folder(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> Path:
    """A Hugging Face folder with weights, as `model.name_or_path` takes it."""
    folder = tmp_path / "backbone"
    tiny_backbone(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
