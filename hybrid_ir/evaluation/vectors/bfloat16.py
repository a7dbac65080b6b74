"""Embedding for evaluation in bfloat16: faster where the processor has it, with vectors a little different."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.evaluation.vectors.cache import DescribedEncoder
from hybrid_ir.sources.records import TextKind

FULL, BF16 = "32-true", "bf16-mixed"
PRECISIONS = (FULL, BF16)


class Bfloat16Encoder:
    """Embeds with matrix products in bfloat16. Vectors are float32, and so are scores.

    Args:
        encoder: what embeds; its weights stay as they are.
        device: where it does.
    """

    def __init__(self, encoder: DescribedEncoder, device: torch.device) -> None:
        self.encoder, self.device = encoder, device

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """float32 (N, D), as the encoder's own."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return self.encoder.encode(texts, kind).float()

    def describe(self) -> Mapping[str, Any]:
        """What the encoder says of itself, and the precision, which decides vectors too."""
        return {**self.encoder.describe(), "precision": BF16}


def check_precision(precision: str) -> None:
    """Raises ValueError where the precision is none of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"eval.precision is {precision!r}; it must be {' or '.join(PRECISIONS)}")


def at_precision(encoder: DescribedEncoder, precision: str, device: torch.device) -> DescribedEncoder:
    """The encoder, embedding at one of `PRECISIONS`."""
    return encoder if precision == FULL else Bfloat16Encoder(encoder, device)
