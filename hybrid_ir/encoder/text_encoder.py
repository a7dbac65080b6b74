"""The text encoder: backbone, pooling and normalisation, with the same weights for queries and passages."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel

from hybrid_ir.encoder.architecture import auto_class
from hybrid_ir.encoder.backbone import LoraConfig, add_adapters, merged_weights
from hybrid_ir.encoder.forward import packed
from hybrid_ir.encoder.forward.chunking import CPU, GPU, cut
from hybrid_ir.encoder.forward.pooling import POOLINGS, prepare_backbone
from hybrid_ir.encoder.tokenization import TextTokenizer, Tokens, tokenizer_from_files
from hybrid_ir.sources.hub.model_guard import KERNELS, TEXT_ENCODERS, config_fault
from hybrid_ir.sources.hub.network import no_hub
from hybrid_ir.sources.records import TextKind


class TextEncoder(nn.Module):
    """Embeds texts as unit vectors; the score of a query and a passage is their dot product.

    Args:
        backbone: a transformers encoder.
        tokenizer: its tokenizer, with prefixes and length limits.
        pooling: `mean`, `cls` or `pooler`.
        max_tokens: the largest number of tokens of one forward pass; None chooses by the device. Texts are sorted by
            length and embedded in chunks of at most this size, which bounds memory and changes vectors by rounding
            only. Chunks are packed without padding if `packed.supports` the backbone, and padded otherwise.
        freeze_embeddings: do not train the token embeddings.
        gradient_checkpointing: recompute activations in the backward pass instead of keeping them.
        lora: train low-rank adapters instead of the backbone's weights; None or rank 0 trains the weights.

    Raises:
        ValueError: the pooling is unknown or needs a pooler that the backbone lacks, or `add_adapters` fails.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        tokenizer: TextTokenizer,
        pooling: str = "mean",
        max_tokens: int | None = None,
        freeze_embeddings: bool = False,
        gradient_checkpointing: bool = False,
        lora: LoraConfig | None = None,
    ) -> None:
        super().__init__()
        prepare_backbone(backbone, pooling)
        packed.prepare(backbone)
        self.lora = lora if lora is not None and lora.rank else None
        if self.lora is not None:
            add_adapters(backbone, self.lora)
        self.backbone, self.tokenizer, self.pooling = backbone, tokenizer, pooling
        self.max_tokens = max_tokens
        self.pad_token_id = int(tokenizer.tokenizer.pad_token_id)
        if freeze_embeddings:
            backbone.get_input_embeddings().requires_grad_(False)
        if gradient_checkpointing:
            backbone.activation_checkpointing_enable({"use_reentrant": False})
        self.train()  # from_pretrained returns eval mode and Lightning keeps the mode it finds

    @property
    def device(self) -> torch.device:
        return next(self.backbone.parameters()).device

    def forward(self, tokens: Tokens) -> Tensor:
        """Embed texts.

        Args:
            tokens: N texts, on the encoder's device.

        Returns:
            float32 (N, D), unit rows, in the order of the texts.
        """
        chunks = self.chunks(tokens.lengths)
        return self.in_order([self.embed_rows(tokens, rows) for rows in chunks], chunks)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts for retrieval, in evaluation mode. The encoder's mode is restored afterwards.

        Returns:
            float32 (N, D) on the CPU, unit rows.
        """
        training = self.training
        self.eval()
        try:
            with self._attention_in_float32():
                tokens = self.tokenizer(texts, kind)
                return self.forward(Tokens(tokens.ids.to(self.device), tokens.lengths)).cpu()
        finally:
            self.train(training)

    @contextmanager
    def _attention_in_float32(self) -> Iterator[None]:
        """Replace flash attention, which has no float32 kernels, by `sdpa`."""
        attention = self.backbone.config._attn_implementation or ""
        if not attention.startswith("flash_attention"):
            yield
            return
        self.backbone.set_attn_implementation("sdpa")
        try:
            yield
        finally:
            self.backbone.set_attn_implementation(attention)

    def chunks(self, lengths: Sequence[int]) -> list[list[int]]:
        """The indices of the texts of each forward pass, longest first, so that running out of memory shows at once."""
        device = CPU if self.device.type == "cpu" else GPU
        max_tokens = self.max_tokens or device.max_tokens
        if packed.supports(self.backbone, self.device):
            return packed.pack(list(lengths), max_tokens)
        return cut(lengths, max_tokens, device.overhead)

    def embed_rows(self, tokens: Tokens, rows: Sequence[int]) -> Tensor:
        """Embed the texts at `rows` in one forward pass: float32 (len(rows), D), unit rows."""
        if packed.supports(self.backbone, self.device):
            output, mask = packed.forward(self.backbone, tokens, rows, with_pooler=self.pooling == "pooler")
        else:
            ids, mask = tokens.padded(rows, self.pad_token_id)
            output = self.backbone(input_ids=ids, attention_mask=mask)
        return F.normalize(POOLINGS[self.pooling](output, mask), dim=-1)

    @staticmethod
    def in_order(parts: Sequence[Tensor], chunks: Sequence[Sequence[int]]) -> Tensor:
        """The vectors of all chunks in the order of the texts: float32 (N, D)."""
        order = torch.tensor([row for rows in chunks for row in rows], device=parts[0].device)
        return torch.cat(list(parts))[torch.argsort(order)]

    def blueprint(self) -> dict[str, Any]:
        """Everything but the weights, as plain containers, so that `from_blueprint` works offline."""
        return {
            "backbone": self.backbone.config.to_dict(),
            "tokenizer_files": self.tokenizer.files(),
            "lora": None if self.lora is None else asdict(self.lora),
            "pooling": self.pooling,
            "max_tokens": self.max_tokens,
            "query_prefix": self.tokenizer.prefixes["query"],
            "passage_prefix": self.tokenizer.prefixes["passage"],
            "max_query_length": self.tokenizer.max_lengths["query"],
            "max_passage_length": self.tokenizer.max_lengths["passage"],
        }

    def describe(self) -> dict[str, Any]:
        """Everything that decides a vector, as plain containers, with SHA-256 fingerprints of the large parts.

        It is stored with results. An encoder with adapters is described as if they were merged into its weights.
        """
        left_out = ("backbone", "tokenizer_files", "lora", "max_tokens")  # max_tokens only decides the batching
        kept = {key: value for key, value in self.blueprint().items() if key not in left_out}
        # Fields that an architecture adds to the common configuration decide vectors; the common ones record origins.
        common = {*PreTrainedConfig().to_dict(), "attn_implementation"} - {"model_type"}
        shape = {
            key: value
            for key, value in self.backbone.config.to_dict().items()
            if key not in common and "dropout" not in key
        }
        backbone = json.dumps(shape, sort_keys=True, default=str)
        return {
            "weights": self._weights_fingerprint(),
            "backbone": hashlib.sha256(backbone.encode()).hexdigest(),
            "tokenizer": self.tokenizer.fingerprint(),
            **kept,
        }

    def _weights_fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(merged_weights(self.backbone).items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    @classmethod
    def from_blueprint(cls, blueprint: dict[str, Any]) -> "TextEncoder":
        """An encoder of this shape with new weights, to load a state dict into.

        A blueprint is untrusted data: only text encoders that are part of transformers are built, no code of its own
        is run, and no hub is contacted.

        Raises:
            ValueError: it names anything but such a text encoder, or refers to other models.
        """
        settings = {key: value for key, value in blueprint["backbone"].items() if key not in KERNELS}
        kind = settings.pop("model_type")
        if kind not in TEXT_ENCODERS:
            raise ValueError(f"model_type is {kind!r}, which is not a text encoder that checkpoints may hold")
        if fault := config_fault(settings):
            raise ValueError(fault)
        with no_hub():
            return cls._from_parts(blueprint, AutoConfig.for_model(kind, **settings))

    @classmethod
    def _from_parts(cls, blueprint: dict[str, Any], config: PreTrainedConfig) -> "TextEncoder":
        tokenizer = TextTokenizer(
            tokenizer_from_files(blueprint["tokenizer_files"]),
            **{key: blueprint[key] for key in ("query_prefix", "passage_prefix")},
            **{key: blueprint[key] for key in ("max_query_length", "max_passage_length")},
        )
        lora = blueprint.get("lora")
        return cls(
            auto_class(config).from_config(config, trust_remote_code=False),
            tokenizer,
            blueprint["pooling"],
            blueprint["max_tokens"],
            lora=None if lora is None else LoraConfig(**lora),
        )
