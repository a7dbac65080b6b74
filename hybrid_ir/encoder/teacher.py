"""The teacher of distillation: a frozen encoder whose scores the trained encoder imitates."""

from typing import Any

import torch
from torch import Tensor

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, Tokens


class Teacher:
    """A frozen encoder that embeds batches in evaluation mode, without gradients.

    It is not an `nn.Module`, so it stays out of the trained model's weights, checkpoints, gradients and training mode.

    Args:
        encoder: the encoder, with its own tokenizer; its weights never change.
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
        """Embed texts tokenised by the teacher's tokenizer: float32 (N, D), unit rows, on the device of the tokens."""
        if self.encoder.device != tokens.ids.device:
            self.encoder.to(tokens.ids.device)
        vectors: Tensor = self.encoder(tokens)
        return vectors
