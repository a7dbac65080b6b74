"""What an evaluation needs of a model."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from hybrid_ir.sources.records import TextKind


class Encoder(Protocol):
    """Anything that turns texts into vectors: a trained model, a baseline, a constant.

    Where vectors are kept on disk (`hybrid_ir.evaluation.vectors.corpus_vectors`), it also has
    `describe() -> Mapping[str, Any]`, with everything that decides a vector; `query` in a key says
    that it concerns queries alone.
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
