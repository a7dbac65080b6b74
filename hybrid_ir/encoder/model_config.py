"""Settings of an encoder: its backbone and how it embeds texts."""

from dataclasses import dataclass, field

from hybrid_ir.encoder.backbone import LoraConfig
from hybrid_ir.sources.hub.model_guard import ATTENTION

SHORTEST = 3  # smallest length limit in tokens; below it, tokenizers do not truncate or keep only special tokens


@dataclass
class ScratchConfig:
    """Shape of an encoder trained from scratch: a BERT with a vocabulary learned from the corpora.

    Attributes:
        hidden_size: width of the vectors.
        layers: transformer layers.
        heads: attention heads.
        vocab_size: tokens of the vocabulary.
        max_positions: longest text in tokens.
    """

    hidden_size: int = 128
    layers: int = 2
    heads: int = 4
    vocab_size: int = 8000
    max_positions: int = 128


@dataclass
class ModelConfig:
    """A backbone and how it embeds texts.

    Attributes:
        name: short name for runs and reports.
        name_or_path: hub name or local folder; None to build `scratch`.
        revision: commit, tag or branch on the hub; None for the commit in `sources/hub/repository.py`, or the newest.
        scratch: shape of an encoder trained from scratch, if `name_or_path` is None.
        pooling: `mean`, `cls` or `pooler`.
        query_prefix: put before every query.
        passage_prefix: put before every passage.
        max_query_length: the largest number of tokens of a query.
        max_passage_length: the largest number of tokens of a passage.
        max_tokens: the largest number of tokens of one forward pass; None chooses by the device.
        freeze_embeddings: do not train the token embeddings.
        gradient_checkpointing: recompute activations in the backward pass.
        gradient_cache: keep the activations of one forward pass at a time, so that batches of any size fit in memory.
        attention: transformers' attention implementation (`sdpa`, `eager`, `flash_attention_2`).
        dropout: dropout of the backbone; None keeps its own.
        compile: a backend of torch.compile to run the backbone through, such as `inductor` (which needs a C++ compiler,
            and minutes at the start); None for none.
        lora: train low-rank adapters instead of the backbone's weights.
        reinit_layers: number of uppermost layers that start from new weights instead of the pretrained ones.
    """

    name: str = "custom"
    name_or_path: str | None = None
    revision: str | None = None
    scratch: ScratchConfig | None = None
    pooling: str = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""
    max_query_length: int = 256
    max_passage_length: int = 256
    max_tokens: int | None = None
    freeze_embeddings: bool = False
    gradient_checkpointing: bool = False
    gradient_cache: bool = False
    attention: str = "sdpa"
    dropout: float | None = None
    compile: str | None = None
    lora: LoraConfig = field(default_factory=LoraConfig)
    reinit_layers: int = 0

    def __post_init__(self) -> None:
        for name in ("max_query_length", "max_passage_length"):
            if getattr(self, name) < SHORTEST:
                raise ValueError(
                    f"model.{name} is {getattr(self, name)}; it must be at least {SHORTEST}: tokenizers put a token "
                    "of their own before and after a text"
                )
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"model.max_tokens is {self.max_tokens}; it must be at least 1, or null for the default")
        if self.attention not in ATTENTION and "/" not in self.attention:
            raise ValueError(
                f"model.attention is {self.attention!r}; there are {', '.join(ATTENTION)}, and kernels of the hub "
                "(owner/kernel)"
            )
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ValueError(
                f"model.dropout is {self.dropout}; it must be in [0, 1), or be null for the backbone's own"
            )
