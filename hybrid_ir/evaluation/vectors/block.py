"""Some passages of a corpus with their vectors, in the order that ties are broken by."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Ids = NDArray[np.bytes_]


class Block(NamedTuple):
    """Some passages of a corpus.

    Attributes:
        ids: UTF-8, fixed width (B,), strictly descending.
        vectors: float16 or float32 (B, D); products are computed in float32.
    """

    ids: Ids
    vectors: Tensor

    @classmethod
    def sort(cls, ids: Iterable[str], vectors: Tensor) -> "Block":
        """A block of passages in any order.

        Raises:
            ValueError: an id occurs twice, or is empty.
        """
        encoded = np.array([key.encode() for key in ids])
        order = np.argsort(encoded)[::-1]
        block = cls(encoded[order], vectors[torch.from_numpy(order.copy())])
        twice = block.ids[1:][block.ids[1:] == block.ids[:-1]]
        if len(twice) or not block.ids[-1]:
            raise ValueError(
                f"passage id {twice[0].decode()!r} occurs twice" if len(twice) else "a passage id is empty"
            )
        return block

    @classmethod
    def join(cls, blocks: "Sequence[Block]") -> "Block":
        """One block of all passages of some, at least one, which have no passage in common."""
        ids, vectors = np.concatenate([block.ids for block in blocks]), torch.cat([block.vectors for block in blocks])
        order = np.argsort(ids)[::-1]
        return cls(ids[order], vectors[torch.from_numpy(order.copy())])
