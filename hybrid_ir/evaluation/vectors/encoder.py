"""The encoder interface that evaluation needs of a model, and the precision of its embedding."""

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
            texts: one or more texts of any length; batching is up to the encoder.
            kind: queries or passages, for encoders that treat them differently (prefixes, length limits).

        Returns:
            float (N, D), a row for each text in the given order, on any device. Unit vectors make the score a cosine.
        """
        ...


class DescribedEncoder(Protocol):
    """An encoder with a description of everything that decides its vectors."""

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor: ...

    def describe(self) -> Mapping[str, Any]:
        """Everything that decides a vector; a key with `query` or `passage` in it concerns only texts of that kind."""
        ...


class Bfloat16Encoder:
    """An encoder that runs under bfloat16 autocast: faster if the hardware supports it, with slightly other vectors.

    Vectors and scores are still float32.

    Args:
        encoder: the wrapped encoder; its weights are not changed.
        device: device that it runs on.
    """

    def __init__(self, encoder: DescribedEncoder, device: torch.device) -> None:
        self.encoder, self.device = encoder, device

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts in bfloat16: float32 (N, D)."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return self.encoder.encode(texts, kind).float()

    def describe(self) -> Mapping[str, Any]:
        """The wrapped encoder's description and the precision, which decides vectors too."""
        return {**self.encoder.describe(), "precision": BF16}


def check_precision(precision: str) -> None:
    """Raises ValueError if the precision is not one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"eval.precision must be {' or '.join(PRECISIONS)}, got {precision!r}")


def at_precision(encoder: DescribedEncoder, precision: str, device: torch.device) -> DescribedEncoder:
    """The encoder, embedding at one of `PRECISIONS`."""
    return encoder if precision == FULL else Bfloat16Encoder(encoder, device)
