"""What differs between architectures: class, attention, names of dropout, positions; and the proof that one works."""

import logging
from typing import Any

import torch
from transformers import AutoModel, AutoModelForTextEncoding, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hybrid_ir.sources.errors import first_line

log = logging.getLogger(__name__)

WITH_DECODER = ("t5", "mt5", "umt5")  # model types of which only the encoder is used
DROPOUT = (  # what configurations call the dropout of embeddings, layers and attention
    "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout", "hidden_dropout",
    "dropout_rate", "mlp_dropout", "embedding_dropout",
)  # fmt: skip


class UnsuitableError(ValueError):
    """The backbone is intact, but not what the configuration needs. The message says why."""


def auto_class(config: PreTrainedConfig) -> Any:
    """The class of transformers that loads the encoder.

    Raises:
        UnsuitableError: it is a model with a decoder, which transformers cannot load without.
    """
    if config.model_type in WITH_DECODER:
        return AutoModelForTextEncoding
    if config.is_encoder_decoder:
        raise UnsuitableError(f"a {config.model_type} model has a decoder, too; choose one that is only an encoder")
    return AutoModel


def supported_attention(config: PreTrainedConfig, wanted: str) -> str:
    """`wanted`, or `eager` if that is `sdpa` and the architecture has no such implementation."""
    kind = auto_class(config)._model_mapping.get(type(config), None)
    kind = kind[0] if isinstance(kind, tuple) else kind
    if wanted != "sdpa" or kind is None or kind._supports_sdpa:
        return wanted
    log.info("a %s has no sdpa attention; eager attention is used", kind.__name__)
    return "eager"


def set_dropout(config: PreTrainedConfig, value: float | None) -> None:
    """Set every dropout of the architecture to `value`; None keeps its own.

    Raises:
        UnsuitableError: the architecture has no dropout that could be set.
    """
    if value is None:
        return
    names = [name for name in DROPOUT if hasattr(config, name)]
    if not names:
        raise UnsuitableError(f"model.dropout={value} has no effect on a {config.model_type} model; leave it null")
    for name in names:
        setattr(config, name, value)


def positions(backbone: PreTrainedModel) -> float:
    """The largest number of tokens that the backbone takes; infinite if it states none.

    In the RoBERTa family, positions start at the padding id plus 1.
    """
    stated = getattr(backbone.config, "max_position_embeddings", None)
    if stated is None:
        return float("inf")
    embeddings = getattr(backbone, "embeddings", None)
    padding = getattr(getattr(embeddings, "position_embeddings", None), "padding_idx", None)
    return float(stated if padding is None else stated - padding - 1)


def ensure_padding(tokenizer: PreTrainedTokenizerBase) -> None:
    """Give a tokenizer without a padding token one that it has. Which one is of no effect: padding is masked."""
    if tokenizer.pad_token_id is None:
        others = (tokenizer.eos_token, tokenizer.sep_token, tokenizer.unk_token, tokenizer.convert_ids_to_tokens(0))
        tokenizer.pad_token = next(token for token in others if token is not None)


def prove(name: str, backbone: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Embed a word, so that a backbone that cannot work is refused before data are read.

    Flash attention is not tried, since it needs a GPU and half precision.

    Raises:
        ValueError: the tokenizer has tokens that the backbone does not know, or the forward pass fails.
    """
    weights: Any = backbone.get_input_embeddings().weight
    rows, last = len(weights), max(tokenizer.get_vocab().values())
    if last >= rows:
        raise ValueError(
            f"{name} has a tokenizer with token ids up to {last}, but embeddings of {rows} tokens: the two are not of "
            "one model. Add the missing embeddings (resize_token_embeddings) and train them, or take its own tokenizer"
        )
    if backbone.config._attn_implementation not in ("sdpa", "eager"):
        return
    training = backbone.training
    backbone.eval()
    try:
        ids = torch.tensor([tokenizer("word")["input_ids"]])
        with torch.no_grad():
            states = backbone(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        fault = None if tuple(states.shape[:2]) == tuple(ids.shape) else "its output is not one state per token"
    except Exception as error:  # a library's model code may raise anything
        fault = f"{type(error).__name__}: {first_line(error)}"
    finally:
        backbone.train(training)
    if fault is not None:
        raise ValueError(f"{name} ({type(backbone).__name__}) does not work as a text encoder: {fault}")
