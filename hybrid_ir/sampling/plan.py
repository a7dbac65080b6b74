"""The batch plan: which pairs form which batch, as a pure function of seed, epoch, corpora and policy."""

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
from hybrid_ir.sampling.policy import CORPUS_FIRST, BatchPolicy
from hybrid_ir.sampling.schedule import AlphaSchedule, Horizon, RunLength
from hybrid_ir.sampling.translations import NONE, Translations, translators

VERSION = 1  # raise it if the same inputs give another plan: old checkpoints must not resume with it
_POINTS = 2**20  # positions of a schedule that its mean is taken over
_DRAW, _ORDER, _PAIRS, _TRANSLATIONS = range(4)  # purposes of random keys


@dataclass(frozen=True)
class Batch:
    """The rows of one planned batch, or one rank's slice of it.

    Attributes:
        step: position of the batch in the epoch.
        kind: batch kind.
        corpus: number of the corpus; all rows come from one corpus.
        language: the language of a monolingual batch, else None.
        examples: int64 (B,), distinct example numbers.
        question_languages: int8 (B,), positions in the corpus' languages.
        passage_languages: int8 (B,), positions in the corpus' languages.
        question_translations: int8 (B, n), further languages of the question; -1 for an empty slot.
        passage_translations: int8 (B, m), further languages of the passage; -1 for an empty slot.
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
        """The contiguous slice of `rank`. The slices of all ranks, concatenated in rank order, are the batch."""
        assert len(self) % world_size == 0
        share = len(self) // world_size
        rows = slice(rank * share, (rank + 1) * share)
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        parts: dict[str, Any] = {name: value[rows] for name, value in arrays.items()}
        return replace(self, **parts)


class EpochPlan:
    """The batches of one epoch, with random access: computing a batch takes the same time at any position."""

    def __init__(self, plan: "BatchPlan", epoch: int) -> None:
        self._plan, self.epoch = plan, epoch
        rng = np.random.default_rng([plan.seed, epoch, _DRAW])
        shares = plan.policy.shares(plan.progress(epoch))
        self.stream_of_batch = plan.mixture.draw(shares, rng.random(len(plan)))
        """int32 (steps,): the stream that each batch is drawn from."""
        self._occurrence = _occurrences(self.stream_of_batch)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, step: int) -> Batch:
        """The batch at `step`, 0 <= step < len."""
        if not 0 <= step < len(self):
            raise IndexError(step)
        plan, number = self._plan, int(self.stream_of_batch[step])
        stream = plan.mixture.streams[number]
        turn, slot = divmod(int(self._occurrence[step]), stream.size // plan.batch_size)
        order = _permutation(stream.size, (plan.seed, self.epoch, _ORDER, number, turn))
        members = order(np.arange(slot * plan.batch_size, (slot + 1) * plan.batch_size))
        rng = np.random.default_rng([plan.seed, self.epoch, _PAIRS, step])
        pairs = stream.rows(members, rng)
        rng = np.random.default_rng([plan.seed, self.epoch, _TRANSLATIONS, step])  # leaves the pairs as they are
        translations = plan.translators[stream.corpus](*pairs, rng)
        return Batch(step, stream.kind, stream.corpus, stream.code, *pairs, *translations)

    def batches_by_kind(self) -> dict[str, int]:
        """Actual number of batches of each kind."""
        kinds = [self._plan.mixture.streams[number].kind for number in self.stream_of_batch]
        return {kind: kinds.count(kind) for kind in self._plan.policy.kinds}


class BatchPlan:
    """All batches of a training run, as a pure function of the arguments below.

    The same seed, epoch, corpora, policy and global batch size always give the same batches, on any number of ranks:
    nothing depends on global random state or on what was drawn before.

    How a batch is drawn:

    1. Its kind, from the policy. With a schedule, the probabilities depend on the position of the batch in the run.
    2. A corpus, among those that can supply that kind, with probability proportional to size^(1/temperature)
       (arXiv:2408.10536: "sampled based on dataset size"), where size counts the examples that can take part, or is
       declared.
    3. If the kind is monolingual, a language among those in which the corpus has both sides. Kind, corpus and language
       name a stream. If the policy draws the language first ("equally among all possible languages", ibid.), 3 comes
       before 2, see `Mixture`.
    4. The next examples of the stream. Within an epoch a stream is read in random order without replacement. When fewer
       examples are left than a batch needs, it starts over in a new order, so no batch contains an example twice.
    5. For each row, a pair of languages among those that its example offers.

    Languages and pairs are drawn uniformly unless the policy weights them. Languages of translations are drawn from a
    separate random stream, which leaves the rest of the plan unchanged. Languages and corpora with fewer examples
    than a batch are left out, with a warning.

    Args:
        coverages: the training corpora, in a fixed order.
        policy: the batch policy.
        batch_size: rows of the GLOBAL batch, over all ranks.
        seed: a non-negative integer.
        temperature: 1 draws corpora in proportion to size; larger values make the shares more even.
        batches_per_epoch: batches of an epoch; None for (examples that can take part) // batch_size.
        length: planned length of training, which a schedule runs over; ignored without a schedule.
        translations: translations that the loss needs in addition to each row's pair.

    Raises:
        ValueError: no corpus can supply a batch kind or fill a batch of it, no corpus has one of the languages, no
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
            raise ValueError(f"`batch_size` and `temperature` must be positive, got {batch_size} and {temperature}")
        self.coverages, self.policy = tuple(coverages), policy
        self.batch_size, self.seed = batch_size, seed
        self.temperature = temperature
        self.mixture = Mixture(self.coverages, policy, temperature, batch_size)
        self.translators = translators(self.coverages, translations, policy.languages)
        self.translations = translations
        whole = max(1, self.mixture.examples // batch_size)
        self._steps = whole if batches_per_epoch is None else batches_per_epoch
        self._length = length or RunLength()
        self._horizon = None if policy.schedule is None else self._ends(policy.schedule, self._length)

    def __len__(self) -> int:
        """Exact number of batches in every epoch."""
        return self._steps

    def epoch(self, epoch: int) -> EpochPlan:
        """The plan of an epoch, counted from 0."""
        return EpochPlan(self, epoch)

    def progress(self, epoch: int) -> NDArray[np.float64]:
        """float64 (len,): progress of the policy's schedule at each batch, in [0, 1]; 1 without a schedule."""
        return np.ones(len(self)) if self._horizon is None else self._horizon.progress(epoch, len(self))

    def shares(self) -> NDArray[np.float64]:
        """float64 (number of streams,): expected share of each of `mixture.streams` in the batches of the whole run."""
        progress = np.ones(1)
        if self._horizon is not None:
            batches = max(1, self._length.batches(len(self)) or self._horizon.batches)
            progress = self._horizon.at(np.linspace(0, batches - 1, min(batches, _POINTS)))
        kinds: NDArray[np.float64] = self.policy.shares(progress).mean(axis=0, keepdims=True)
        shares: NDArray[np.float64] = self.mixture.probabilities(kinds)[0]
        return shares

    def _ends(self, schedule: AlphaSchedule, length: RunLength) -> Horizon:
        batches = schedule.batches or length.batches(len(self))
        if batches is None:
            raise ValueError(
                "`sampler.schedule` needs an end, but training has none; set trainer.max_epochs, trainer.max_steps or "
                "sampler.schedule.batches"
            )
        return Horizon(length.used(len(self)), batches)

    def fingerprint(self) -> str:
        """SHA-256 of all inputs, stored in checkpoints: equal fingerprints mean equal plans.

        Weights of 1 do not change the plan, and do not change the fingerprint. Other inputs that happen to give the
        same plan may have different fingerprints.
        """
        content = hashlib.sha256()
        facts = (VERSION, self.seed, self.batch_size, len(self), self.temperature, self.policy)
        content.update(repr(facts).encode())
        if self.policy.weights.facts:
            content.update(repr(self.policy.weights.facts).encode())
        if self.policy.draw != CORPUS_FIRST:
            content.update(repr(self.policy.draw).encode())
        if self.translations:
            content.update(repr(self.translations).encode())
        if self._horizon is not None:
            content.update(repr((self.policy.schedule, self._horizon)).encode())
        for coverage in self.coverages:
            content.update(repr((coverage.corpus, coverage.languages, coverage.size)).encode())
            content.update(coverage.patterns.tobytes())
            content.update(b"" if coverage.codes is None else np.ascontiguousarray(coverage.codes).data)
            content.update(b"" if coverage.declared is None else repr(float(coverage.declared)).encode())
        return content.hexdigest()


def _occurrences(values: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64 (N,): how often the value at each position occurred before it."""
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
