"""Every model YAML trains two steps on a small backbone of its own architecture, with its pooling and prefixes."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedModel, XLMRobertaConfig, XLMRobertaModel

from hybrid_ir.encoder.tokenization import train_tokenizer
from tests.training.conftest import Configure, Run
from tests.worlds import WORDS, question, statement

SHAPE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def published(folder: Path, architecture: str, texts: list[str]) -> str:
    """A folder with a tokenizer and a small backbone."""
    tokenizer = train_tokenizer(texts, 400, folder.with_name("vocabulary.json"))
    tokenizer.save_pretrained(folder)
    small_backbone(architecture, len(tokenizer)).save_pretrained(folder)
    return f"model.name_or_path={folder}"


def small_backbone(architecture: str, vocab_size: int) -> PreTrainedModel:
    torch.manual_seed(0)
    if architecture == "bert":
        return BertModel(BertConfig(vocab_size=vocab_size, **SHAPE))
    # The RoBERTa family counts positions from behind its padding number: 514 positions hold 512 tokens.
    return XLMRobertaModel(
        XLMRobertaConfig(vocab_size=vocab_size, pad_token_id=1, max_position_embeddings=514, **SHAPE)
    )


@pytest.mark.parametrize(
    ("model", "architecture", "pooling", "prefix"),
    [
        ("labse", "bert", "pooler", "Query: "),
        ("mbert", "bert", "mean", "Query: "),
        ("xlmr", "xlm-roberta", "mean", "Query: "),
        ("xlmr_large", "xlm-roberta", "mean", "Query: "),
        ("e5_small", "bert", "mean", "query: "),
        ("e5_base", "xlm-roberta", "mean", "query: "),
    ],
)
def test_model_trains(
    configure: Configure, tmp_path: Path, model: str, architecture: str, pooling: str, prefix: str
) -> None:
    texts = [text(language, number) for language in WORDS for number in range(20) for text in (question, statement)]
    place = published(tmp_path / "backbone", architecture, texts)
    run = Run(configure(f"model={model}", place, "trainer.max_steps=2", "eval=[]"))
    before = [parameter.detach().clone() for parameter in run.module.encoder.parameters()]
    run.fit()
    encoder = run.module.encoder
    assert (encoder.pooling, encoder.tokenizer.prefixes["query"]) == (pooling, prefix)
    assert encoder.backbone.is_activation_checkpointing == (model == "xlmr_large")
    assert all(
        not torch.equal(old, new) for old, new in zip(before, encoder.parameters(), strict=True) if new.ndim == 2
    )


def test_text_as_long_as_the_backbone_takes_is_encoded(configure: Configure, tmp_path: Path) -> None:
    overrides = ("model=xlmr", published(tmp_path / "backbone", "xlm-roberta", ["a b c"]))
    run = Run(configure(*overrides, "model.max_passage_length=512"))
    assert run.module.encode(["a " * 2000], "passage").shape == (1, 16)
    with pytest.raises(ValueError, match="is 513, but xlmr takes 512 tokens at most"):
        Run(configure(*overrides, "model.max_passage_length=513", run="longer"))
