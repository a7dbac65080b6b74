"""Batch policies: which kinds of batches are drawn, how often, and over which languages."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.schedule import AlphaSchedule, Constant
from hybrid_ir.sampling.weights import LanguageWeights

MONOLINGUAL, CROSSLINGUAL, MIXED = "monolingual", "crosslingual", "mixed"
KINDS = (MONOLINGUAL, CROSSLINGUAL, MIXED)
CORPUS_FIRST, LANGUAGE_FIRST = "corpus_first", "language_first"
DRAWS = (CORPUS_FIRST, LANGUAGE_FIRST)


class BatchPolicy(Protocol):
    """Protocol of a batch policy: how often each kind of batch is drawn, and over which languages.

    Attributes:
        name: the name in the paper or in LAReQA, for logs and reports.
        languages: the only languages to use, or None for every language of the corpora.
        weights: weights of languages and language pairs.
        draw: what is drawn first for a monolingual batch, its corpus or its language; see `Mixture`.
        schedule: how the shares of the kinds change during training; None if they are constant.
        kinds: the batch kinds with a probability above 0.
    """

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> tuple[str, ...] | None: ...

    @property
    def weights(self) -> LanguageWeights: ...

    @property
    def draw(self) -> str: ...

    @property
    def schedule(self) -> AlphaSchedule | None: ...

    @property
    def kinds(self) -> tuple[str, ...]: ...

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of the kinds at given points of the schedule.

        Args:
            progress: float64 (N,), see `Horizon.progress`.

        Returns:
            float64 (N, number of kinds); each row sums to 1.
        """

    def settled(self) -> "BatchPolicy":
        """The policy as it is after its schedule has ended."""


@dataclass(frozen=True)
class Hybrid:
    """The paper's sampler (arXiv:2408.10536): a batch is monolingual with probability alpha, else cross-lingual.

    `alpha=1` is exactly X-X-mono and `alpha=0` exactly X-Y. With a schedule, alpha is its final value. A constant
    schedule is the same as none.

    Raises:
        ValueError: alpha outside [0, 1].
    """

    alpha: float = 0.5
    name: str = "hybrid"
    languages: tuple[str, ...] | None = None
    weights: LanguageWeights = field(default_factory=LanguageWeights, repr=False)
    schedule: AlphaSchedule | None = field(default=None, repr=False)
    draw: str = field(default=CORPUS_FIRST, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"`sampler.alpha` must be in [0, 1], got {self.alpha}")
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
    """Batches of a single kind: X-X-mono, X-Y, LAReQA's X-X (`mixed`), or En-En (monolingual over one language)."""

    kind: str
    name: str
    languages: tuple[str, ...] | None = None
    weights: LanguageWeights = field(default_factory=LanguageWeights, repr=False)
    draw: str = field(default=CORPUS_FIRST, repr=False)

    schedule = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"`sampler.kind` must be {' or '.join(KINDS)}, got {self.kind!r}")

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind,)

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones((len(progress), 1))

    def settled(self) -> "Single":
        return self


def language_pairs(question_mask: int, passage_mask: int, kind: str) -> NDArray[np.int8]:
    """Pairs (question language, passage language) that an example can contribute to a batch kind.

    Args:
        question_mask: bit b is set if the question exists in language b.
        passage_mask: the same for the passage.
        kind: `crosslingual` pairs have two different languages, those of other kinds have one.

    Returns:
        int8 (number of pairs, 2), in ascending order.
    """
    questions, passages = _bits(question_mask), _bits(passage_mask)
    pairs = [(q, p) for q in questions for p in passages if (q != p) == (kind == CROSSLINGUAL)]
    return np.asarray(pairs, dtype=np.int8).reshape(-1, 2)


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(64) if mask >> bit & 1]
