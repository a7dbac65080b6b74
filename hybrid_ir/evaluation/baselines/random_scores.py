"""Random vectors, the baseline of a system that has learned nothing."""

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.sources.records import TextKind


class RandomEncoder:
    """An encoder whose vectors are random directions, a function of seed, kind and text.

    Args:
        dimension: dimension of the vectors.
        seed: seed of the vectors.
    """

    def __init__(self, dimension: int = 64, seed: int = 0) -> None:
        self.dimension, self.seed = dimension, seed

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Float32 (N, D), unit rows."""
        rows = torch.stack([self._vector(f"{self.seed} {kind} {text}") for text in texts])
        return torch.nn.functional.normalize(rows, dim=1)

    def describe(self) -> dict[str, Any]:
        """The settings of the baseline, for results."""
        return {"baseline": "random", "dimension": self.dimension, "seed": self.seed}

    def _vector(self, text: str) -> Tensor:
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())
        return torch.randn(self.dimension, generator=torch.Generator().manual_seed(seed))
