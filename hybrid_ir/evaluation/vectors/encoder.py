"""What an evaluation needs of a model, and the precision at which it embeds."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from hybrid_ir.sources.records import TextKind

FULL, BF16 = "32-true", "bf16-mixed"
PRECISIONS = (FULL, BF16)


class Encoder(Protocol):
    """Anything that turns texts into vectors: a trained model, a baseline, a constant.

    If vectors are kept on disk, it must be a `DescribedEncoder`.
    """

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts. The score of a query and a passage is the dot product of their vectors.

        Args:
            texts: any number of texts above zero, in any order of length; batching is the encoder's own affair.
            kind: the side, for encoders that treat them differently (prefixes, length limits).

        Returns:
            float (N, D), one row a text in the given order, on any device. Unit vectors make the score a cosine.
        """
        ...


class DescribedEncoder(Protocol):
    """An encoder that can say what its vectors are made of."""

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor: ...

    def describe(self) -> Mapping[str, Any]:
        """Everything that decides a vector; `query` or `passage` in a key says that it concerns only that kind."""
        ...


class Bfloat16Encoder:
    """Embeds with matrix products in bfloat16: faster if the processor has it, with vectors a little different.

    Vectors are float32, and so are scores.

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
    """Raises ValueError if the precision is none of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"eval.precision must be {' or '.join(PRECISIONS)}, got {precision!r}")


def at_precision(encoder: DescribedEncoder, precision: str, device: torch.device) -> DescribedEncoder:
    """The encoder, embedding at one of `PRECISIONS`."""
    return encoder if precision == FULL else Bfloat16Encoder(encoder, device)
