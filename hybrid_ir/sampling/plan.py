"""The batch plan: which pairs meet in which batch, as a pure function of its inputs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.mixture import Mixture
from hybrid_ir.sampling.permutation import Permutation
from hybrid_ir.sampling.policy import BatchPolicy
from hybrid_ir.sampling.schedule import AlphaSchedule, Horizon, RunLength
from hybrid_ir.sampling.translations import NONE, Translations, translators

VERSION = 1  # raise it whenever the same inputs would give another plan: old checkpoints must not resume on it
_DRAW, _ORDER, _PAIRS, _TRANSLATIONS = range(4)  # what a random key is for


@dataclass(frozen=True)
class Batch:
    """Rows of one batch, or one rank's slice of it.

    Attributes:
        step: position in the epoch.
        kind: batch kind.
        corpus: number of the corpus that every row comes from.
        language: the language of a monolingual batch, else None.
        examples: int64 (B,), distinct example numbers.
        question_languages: int8 (B,), positions in the corpus' languages.
        passage_languages: int8 (B,), positions in the corpus' languages.
        question_translations: int8 (B, n), languages that the question also comes in; -1 for an empty slot.
        passage_translations: int8 (B, m), the same of the passage.
    """

    step: int
    kind: str
    corpus: int
    language: str | None
    examples: NDArray[np.int64]
    question_languages: NDArray[np.int8]
    passage_languages: NDArray[np.int8]
    question_translations: NDArray[np.int8]
    passage_translations: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.examples)

    def slice(self, rank: int, world_size: int) -> "Batch":
        """The contiguous share of `rank`: slices of all ranks, in order of rank, are the batch."""
        assert len(self) % world_size == 0
        share = len(self) // world_size
        rows = slice(rank * share, (rank + 1) * share)
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        parts: dict[str, Any] = {name: value[rows] for name, value in arrays.items()}
        return replace(self, **parts)


class EpochPlan:
    """The batches of one epoch; any of them is computed on its own, in time that does not depend on its position."""

    def __init__(self, plan: "BatchPlan", epoch: int) -> None:
        self._plan, self.epoch = plan, epoch
        rng = np.random.default_rng([plan.seed, epoch, _DRAW])
        shares = plan.policy.shares(plan.progress(epoch))
        self.stream_of_batch = plan.mixture.draw(shares, rng.random(len(plan)))
        """int32 (steps,): the stream each batch is drawn from."""
        self._occurrence = _occurrences(self.stream_of_batch)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, step: int) -> Batch:
        """The batch at `step`, 0 <= step < len."""
        if not 0 <= step < len(self):
            raise IndexError(step)
        plan, number = self._plan, int(self.stream_of_batch[step])
        stream = plan.mixture.streams[number]
        turn, place = divmod(int(self._occurrence[step]), stream.size // plan.batch_size)
        order = _permutation(stream.size, (plan.seed, self.epoch, _ORDER, number, turn))
        members = order(np.arange(place * plan.batch_size, (place + 1) * plan.batch_size))
        rng = np.random.default_rng([plan.seed, self.epoch, _PAIRS, step])
        pairs = stream.rows(members, rng)
        rng = np.random.default_rng([plan.seed, self.epoch, _TRANSLATIONS, step])  # they do not move the pairs
        translations = plan.translators[stream.corpus](*pairs, rng)
        language = None if stream.language is None else stream.index.coverage.languages[stream.language]
        return Batch(step, stream.kind, stream.corpus, language, *pairs, *translations)

    def batches_by_kind(self) -> dict[str, int]:
        """Realised number of batches of each kind."""
        kinds = [self._plan.mixture.streams[number].kind for number in self.stream_of_batch]
        return {kind: kinds.count(kind) for kind in self._plan.policy.kinds}


class BatchPlan:
    """Draws every batch of a training run; a pure function of its arguments (DESIGN, invariant 1).

    Scheme. Each batch first draws its kind from the policy, by the place of the batch in the run where the policy has a
    schedule, then a corpus among those that can supply that kind ("sampled based on dataset size": probability
    proportional to size^(1/temperature), size being the number of examples that can take part), then, if monolingual,
    a language among the corpus' languages that have both sides. This names a stream. Within an epoch a stream is read
    in a random order without replacement; when fewer examples than a batch are left it starts over in a new order, so
    no batch holds an example twice. Each row's pair of languages is drawn from those its example offers. Languages and
    pairs are drawn uniformly unless the policy weights them. The languages of translations are drawn beside that, and
    change nothing of it.

    Args:
        coverages: the training corpora, in a fixed order.
        policy: the batch policy.
        batch_size: rows of the GLOBAL batch, over all ranks.
        seed: any non-negative integer.
        temperature: 1 draws corpora in proportion to size; larger values even the shares out.
        batches_per_epoch: length of an epoch; None for (examples that can take part) // batch_size.
        length: when training ends; what a schedule runs over, and without influence where there is none.
        translations: what the loss wants of every row beside its pair.

    A language or corpus with fewer examples than a batch is not drawn from, which the log says.

    Raises:
        ValueError: no corpus can supply a batch kind, or fill a batch of it, a language is unknown to every corpus, no
            corpus has the translations, or a schedule has no end.
    """

    def __init__(
        self,
        coverages: Sequence[Coverage],
        policy: BatchPolicy,
        batch_size: int,
        seed: int,
        temperature: float = 1.0,
        batches_per_epoch: int | None = None,
        length: RunLength | None = None,
        translations: Translations = NONE,
    ) -> None:
        if batch_size < 1 or temperature <= 0:
            raise ValueError(f"batch_size is {batch_size} and temperature {temperature}; both must be positive")
        self.coverages, self.policy = tuple(coverages), policy
        self.batch_size, self.seed = batch_size, seed
        self.temperature = temperature
        self.mixture = Mixture(self.coverages, policy, temperature, batch_size)
        self.translators = translators(self.coverages, translations, policy.languages)
        self.translations = translations
        whole = max(1, self.mixture.examples // batch_size)
        self._steps = whole if batches_per_epoch is None else batches_per_epoch
        self._horizon = None if policy.schedule is None else self._ends(policy.schedule, length or RunLength())

    def __len__(self) -> int:
        """Batches in every epoch, exactly."""
        return self._steps

    def epoch(self, epoch: int) -> EpochPlan:
        """The plan of an epoch, counted from 0."""
        return EpochPlan(self, epoch)

    def progress(self, epoch: int) -> NDArray[np.float64]:
        """float64 (len,): how much of the policy's schedule is done at each batch; 1 everywhere where there is none."""
        return np.ones(len(self)) if self._horizon is None else self._horizon.progress(epoch, len(self))

    def _ends(self, schedule: AlphaSchedule, length: RunLength) -> Horizon:
        batches = schedule.batches or length.batches(len(self))
        if batches is None:
            raise ValueError(
                "sampler.schedule has no end, as training has none; set trainer.max_epochs, trainer.max_steps or "
                "sampler.schedule.batches"
            )
        return Horizon(length.used(len(self)), batches)

    def fingerprint(self) -> str:
        """Kept in checkpoints: equal only where the plans are equal.

        Weights of 1 draw what a plan without them draws, and do not change it. Other inputs that happen to draw alike
        may have another fingerprint.
        """
        digest = hashlib.sha256()
        facts = (VERSION, self.seed, self.batch_size, len(self), self.temperature, self.policy)
        digest.update(repr(facts).encode())
        if self.policy.weights.facts:
            digest.update(repr(self.policy.weights.facts).encode())
        if self.translations:
            digest.update(repr(self.translations).encode())
        if self._horizon is not None:
            digest.update(repr((self.policy.schedule, self._horizon)).encode())
        for coverage in self.coverages:
            digest.update(repr((coverage.corpus, coverage.languages, coverage.size)).encode())
            digest.update(coverage.patterns.tobytes())
            digest.update(b"" if coverage.codes is None else np.ascontiguousarray(coverage.codes).data)
        return digest.hexdigest()


def _occurrences(values: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each position, how often its value came before."""
    order = np.argsort(values, kind="stable")
    grouped = values[order]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    occurrence = np.empty(len(values), dtype=np.int64)
    occurrence[order] = np.arange(len(values)) - np.repeat(starts, lengths)
    return occurrence


@lru_cache(maxsize=256)
def _permutation(size: int, key: tuple[int, ...]) -> Permutation:
    return Permutation(size, key)
