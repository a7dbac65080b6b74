"""A frozen encoder that another one learns from."""

from typing import Any

import torch
from torch import Tensor

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, Tokens


class Teacher:
    """Embeds a batch without gradient, in evaluation mode.

    It is no `nn.Module`, so that it is no part of the model that is trained: not of its weights, its checkpoints, its
    gradients, or its training mode.

    Args:
        encoder: with a tokenizer of its own; it stays as it is.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self.encoder = encoder.eval().requires_grad_(False)

    @property
    def tokenizer(self) -> TextTokenizer:
        return self.encoder.tokenizer

    def describe(self) -> dict[str, Any]:
        """See `TextEncoder.describe`."""
        return self.encoder.describe()

    @torch.no_grad()
    def __call__(self, tokens: Tokens) -> Tensor:
        """Vectors of texts in the teacher's own tokens: float32 (N, D), unit rows, on the device of the tokens."""
        if self.encoder.device != tokens.ids.device:
            self.encoder.to(tokens.ids.device)
        vectors: Tensor = self.encoder(tokens)
        return vectors
