"""Which kinds of batches there are, how often each is drawn, and which pairs each may hold."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.schedule import AlphaSchedule, Constant
from hybrid_ir.sampling.weights import LanguageWeights

MONOLINGUAL, CROSSLINGUAL, MIXED = "monolingual", "crosslingual", "mixed"
KINDS = (MONOLINGUAL, CROSSLINGUAL, MIXED)


class BatchPolicy(Protocol):
    """How often each kind of batch is drawn, and over which languages.

    Attributes:
        name: as the paper or LAReQA calls it; for logs and reports.
        languages: the only languages used, or None for every language of the corpora.
        weights: how often languages and their pairs are drawn.
        schedule: how the shares of kinds move in the course of the run; None where they do not.
        kinds: the batch kinds that are drawn at all.
    """

    name: str
    languages: tuple[str, ...] | None
    weights: LanguageWeights
    schedule: AlphaSchedule | None

    @property
    def kinds(self) -> tuple[str, ...]: ...

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of the kinds at points of the schedule.

        Args:
            progress: float64 (N,), see `Horizon.progress`.

        Returns:
            float64 (N, number of kinds); rows add up to 1.
        """

    def settled(self) -> "BatchPolicy":
        """The policy as it is when its schedule has ended."""


@dataclass(frozen=True)
class Hybrid:
    """The paper's sampler (arXiv:2408.10536): a batch is monolingual with probability alpha, else cross-lingual.

    `alpha=1` is X-X-mono and `alpha=0` is X-Y, exactly. With a schedule, alpha is the value that it ends at; a constant
    one is none.

    Raises:
        ValueError: alpha outside [0, 1].
    """

    alpha: float = 0.5
    name: str = "hybrid"
    languages: tuple[str, ...] | None = None
    weights: LanguageWeights = field(default_factory=LanguageWeights, repr=False)
    schedule: AlphaSchedule | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"sampler.alpha is {self.alpha}; it is a probability and must lie in [0, 1]")
        if isinstance(self.schedule, Constant):
            object.__setattr__(self, "schedule", None)

    @property
    def kinds(self) -> tuple[str, ...]:
        low, high = (self.alpha, self.alpha) if self.schedule is None else self.schedule.bounds(self.alpha)
        return tuple(kind for kind, drawn in ((MONOLINGUAL, high > 0), (CROSSLINGUAL, low < 1)) if drawn)

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        alpha = np.full(len(progress), self.alpha) if self.schedule is None else self.schedule(progress, self.alpha)
        share = {MONOLINGUAL: alpha, CROSSLINGUAL: 1 - alpha}
        return np.stack([share[kind] for kind in self.kinds], axis=1)

    def settled(self) -> "Hybrid":
        return replace(self, schedule=None)


@dataclass(frozen=True)
class Single:
    """Every batch of one kind: X-X-mono, X-Y, LAReQA's X-X (`mixed`), or En-En (monolingual over one language)."""

    kind: str
    name: str
    languages: tuple[str, ...] | None = None
    weights: LanguageWeights = field(default_factory=LanguageWeights, repr=False)

    schedule = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"batch kind {self.kind!r} is unknown; there are {', '.join(KINDS)}")

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind,)

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones((len(progress), 1))

    def settled(self) -> "Single":
        return self


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
