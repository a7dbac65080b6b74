"""What a corpus gives for a batch: the texts of its pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PairTexts:
    """The texts of one batch of B pairs, without prefixes.

    Groups number identical content within one corpus: equal numbers mean that the one is no negative of the other.

    Attributes:
        questions: B texts.
        passages: B texts.
        negatives: for each pair its hard negatives, most confusing first; may be ragged.
        question_groups: int64 (B,).
        passage_groups: int64 (B,).
        negative_groups: for each pair the groups of its hard negatives.
    """

    questions: list[str]
    passages: list[str]
    negatives: list[list[str]]
    question_groups: NDArray[np.int64]
    passage_groups: NDArray[np.int64]
    negative_groups: list[list[int]]
