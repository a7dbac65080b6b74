"""Translations of a batch's texts, as vectors with empty slots."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Translated:
    """Translations of one side of B rows, n slots each.

    Attributes:
        vectors: float (B, n, D), unit rows; zero in an empty slot.
        present: bool (B, n), False marks an empty slot.
    """

    vectors: Tensor
    present: Tensor

    @classmethod
    def arranged(cls, flat: Tensor, present: Tensor) -> "Translated":
        """`flat`, (present.sum(), D), put into its slots row by row."""
        vectors = flat.new_zeros(*present.shape, flat.shape[-1])
        vectors[present] = flat
        return cls(vectors, present)

    def float(self) -> "Translated":
        """The same in float32."""
        return Translated(self.vectors.float(), self.present)


def slot_groups(groups: Tensor, present: Tensor) -> Tensor:
    """The group of each slot's text: int64 (B n,), -1 for an empty slot.

    Args:
        groups: int64 (B,), of the rows.
        present: bool (B, n).
    """
    return groups[:, None].expand_as(present).masked_fill(~present, -1).flatten()
