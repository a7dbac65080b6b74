"""Checkpoints of small encoders with random weights, in every shape that can be exported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from hybrid_ir.encoder.backbone import LoraConfig
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, train_tokenizer
from tests.encoder_fixtures import TEXTS

SHAPE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48}
QUERY_LIMIT, PASSAGE_LIMIT = 24, 40
ODD_TEXTS = [*TEXTS, "", "  spaces before and behind \n", "tab\tand\u00a0more", "word " * 200]

MakeCheckpoint = Callable[..., Path]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerBase:
    return train_tokenizer(TEXTS * 3, 400, tmp_path_factory.mktemp("vocabulary") / "tokenizer.json")


def backbone_of(architecture: str, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    common = SHAPE | {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    if architecture == "bert":
        return BertModel(BertConfig(**common, max_position_embeddings=64))
    return XLMRobertaModel(XLMRobertaConfig(**common, max_position_embeddings=64))


@pytest.fixture
def make_checkpoint(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> MakeCheckpoint:
    """`make_checkpoint("bert", "mean")` writes a checkpoint file, with adapters where `rank` is given."""

    def make(
        architecture: str = "bert",
        pooling: str = "mean",
        rank: int = 0,
        limits: tuple[int, int] = (PASSAGE_LIMIT, PASSAGE_LIMIT),
        config: dict[str, Any] | None = None,
        prefixes: tuple[str, str] = ("query: ", "passage: "),
    ) -> Path:
        torch.manual_seed(3)
        pieces = TextTokenizer(tokenizer, *prefixes, *limits)
        encoder = TextEncoder(backbone_of(architecture, tokenizer), pieces, pooling, lora=LoraConfig(rank))
        for name, parameter in encoder.named_parameters():
            if "lora_B" in name or "bias" in name:  # zero in a new model
                torch.nn.init.normal_(parameter, std=0.3)
        path = tmp_path / f"{architecture}-{pooling}-{rank}.ckpt"
        content = {
            "state_dict": {f"encoder.{key}": value for key, value in encoder.state_dict().items()},
            "encoder_blueprint": encoder.blueprint(),
            "hyper_parameters": config or {},
            "global_step": 9,
        }
        torch.save(content, path)
        return path

    return make
