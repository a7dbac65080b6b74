"""Which kinds of batches there are, how often each is drawn, and which pairs each may hold."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MONOLINGUAL, CROSSLINGUAL, MIXED = "monolingual", "crosslingual", "mixed"
KINDS = (MONOLINGUAL, CROSSLINGUAL, MIXED)


class BatchPolicy(Protocol):
    """How often each kind of batch is drawn, and over which languages.

    Attributes:
        name: as the paper or LAReQA calls it; for logs and reports.
        languages: the only languages used, or None for every language of the corpora.
        probabilities: batch kind -> probability; positive, adding up to 1.
    """

    name: str
    languages: tuple[str, ...] | None

    @property
    def probabilities(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class Hybrid:
    """The paper's sampler (arXiv:2408.10536): a batch is monolingual with probability alpha, else cross-lingual.

    `alpha=1` is X-X-mono and `alpha=0` is X-Y, exactly.

    Raises:
        ValueError: alpha outside [0, 1].
    """

    alpha: float = 0.5
    name: str = "hybrid"
    languages: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"sampler.alpha is {self.alpha}; it is a probability and must lie in [0, 1]")

    @property
    def probabilities(self) -> dict[str, float]:
        shares = {MONOLINGUAL: self.alpha, CROSSLINGUAL: 1 - self.alpha}
        return {kind: share for kind, share in shares.items() if share > 0}


@dataclass(frozen=True)
class Single:
    """Every batch of one kind: X-X-mono, X-Y, LAReQA's X-X (`mixed`), or En-En (monolingual over one language)."""

    kind: str
    name: str
    languages: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"batch kind {self.kind!r} is unknown; there are {', '.join(KINDS)}")

    @property
    def probabilities(self) -> dict[str, float]:
        return {self.kind: 1.0}


def language_pairs(question_mask: int, passage_mask: int, kind: str) -> NDArray[np.int8]:
    """Pairs (question language, passage language) that an example of one availability pattern offers a batch kind.

    Args:
        question_mask: bit b set where the question exists in language b.
        passage_mask: the same for the passage.
        kind: `crosslingual` pairs two different languages, the other kinds one language with itself.

    Returns:
        int8 (number of pairs, 2), in ascending order.
    """
    questions, passages = _bits(question_mask), _bits(passage_mask)
    pairs = [(q, p) for q in questions for p in passages if (q != p) == (kind == CROSSLINGUAL)]
    return np.asarray(pairs, dtype=np.int8).reshape(-1, 2)


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(64) if mask >> bit & 1]
