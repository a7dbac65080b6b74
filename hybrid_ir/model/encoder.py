"""The text encoder: backbone, pooling and normalisation; one set of weights for queries and passages."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from hybrid_ir.model.pooling import POOLINGS, prepare_backbone
from hybrid_ir.model.tokenization import TextTokenizer, Tokens, tokenizer_from_files
from hybrid_ir.sources.records import TextKind

NOT_CONTENT = ("_name_or_path", "transformers_version")  # of a backbone's configuration
MAX_TOKENS_CPU = 2048  # activations of one forward stay in the cache
MAX_TOKENS_GPU = 32_768  # large enough to keep the device busy


class TextEncoder(nn.Module):
    """Embeds texts as unit vectors; the score of a query and a passage is their dot product.

    Args:
        backbone: a transformers encoder.
        tokenizer: its tokenizer, with prefixes and length limits.
        pooling: `mean`, `cls` or `pooler`.
        max_tokens: padded tokens that one forward may take; None takes what suits the device. Texts are sorted by
            length and cut into forwards of about this size, so hardly any computation goes into padding and memory has
            a bound; the vectors do not depend on it beyond rounding.
        freeze_embeddings: keep the token embeddings as they are.
        gradient_checkpointing: recompute activations in the backward pass instead of keeping them.

    Raises:
        ValueError: unknown pooling, or one the backbone does not offer.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        tokenizer: TextTokenizer,
        pooling: str = "mean",
        max_tokens: int | None = None,
        freeze_embeddings: bool = False,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        prepare_backbone(backbone, pooling)
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
        """Embed texts for retrieval, in evaluation mode and whatever autocast is active.

        Returns:
            float32 (N, D) on the CPU, unit rows.
        """
        training = self.training
        self.eval()
        try:
            tokens = self.tokenizer(texts, kind)
            return self.forward(Tokens(tokens.ids.to(self.device), tokens.lengths)).cpu()
        finally:
            self.train(training)

    def chunks(self, lengths: Sequence[int]) -> list[list[int]]:
        """Rows of each forward: longest first, so that memory peaks at once if it is to overflow."""
        max_tokens = self.max_tokens or (MAX_TOKENS_CPU if self.device.type == "cpu" else MAX_TOKENS_GPU)
        rows = sorted(range(len(lengths)), key=lambda row: -lengths[row])
        chunks, start = [], 0
        while start < len(rows):
            size = max(1, max_tokens // lengths[rows[start]])
            chunks.append(rows[start : start + size])
            start += size
        return chunks

    def embed_rows(self, tokens: Tokens, rows: Sequence[int]) -> Tensor:
        """One forward: the texts at `rows`, padded to the longest of them. -> float32 (len(rows), D), unit rows."""
        ids, mask = tokens.padded(rows, self.pad_token_id)
        output = self.backbone(input_ids=ids, attention_mask=mask)
        return F.normalize(POOLINGS[self.pooling](output, mask), dim=-1)

    @staticmethod
    def in_order(parts: Sequence[Tensor], chunks: Sequence[Sequence[int]]) -> Tensor:
        """Vectors of all chunks, in the order of the texts."""
        order = torch.tensor([row for rows in chunks for row in rows], device=parts[0].device)
        return torch.cat(list(parts))[torch.argsort(order)]

    def blueprint(self) -> dict[str, Any]:
        """Everything but the weights, as plain containers: `from_blueprint` builds the encoder again without a hub."""
        return {
            "backbone": self.backbone.config.to_dict(),
            "tokenizer_files": self.tokenizer.files(),
            "pooling": self.pooling,
            "max_tokens": self.max_tokens,
            "query_prefix": self.tokenizer.prefixes["query"],
            "passage_prefix": self.tokenizer.prefixes["passage"],
            "max_query_length": self.tokenizer.max_lengths["query"],
            "max_passage_length": self.tokenizer.max_lengths["passage"],
        }

    def describe(self) -> dict[str, Any]:
        """What a result was made with: everything that decides a vector, large parts as SHA-256; plain containers."""
        kept = {key: value for key, value in self.blueprint().items() if key not in ("backbone", "tokenizer_files")}
        del kept["max_tokens"]  # how texts are batched
        # What an architecture adds to the common configuration decides vectors; the rest tells where it came from.
        common = {*PreTrainedConfig().to_dict(), "attn_implementation"} - {"model_type"}
        shape = {
            key: value
            for key, value in self.backbone.config.to_dict().items()
            if key not in common and "dropout" not in key
        }
        backbone = json.dumps(shape, sort_keys=True, default=str)
        return {
            "weights": self._weights_hash(),
            "backbone": hashlib.sha256(backbone.encode()).hexdigest(),
            "tokenizer": self.tokenizer.fingerprint(),
            **kept,
        }

    def _weights_hash(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self.backbone.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    @classmethod
    def from_blueprint(cls, blueprint: dict[str, Any]) -> "TextEncoder":
        """An encoder of the same shape with fresh weights, to load a state dict into."""
        settings = dict(blueprint["backbone"])
        config = AutoConfig.for_model(settings.pop("model_type"), **settings)
        tokenizer = TextTokenizer(
            tokenizer_from_files(blueprint["tokenizer_files"]),
            **{key: blueprint[key] for key in ("query_prefix", "passage_prefix")},
            **{key: blueprint[key] for key in ("max_query_length", "max_passage_length")},
        )
        return cls(AutoModel.from_config(config), tokenizer, blueprint["pooling"], blueprint["max_tokens"])
