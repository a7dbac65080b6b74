"""The batch plan: which pairs meet in which batch, as a pure function of its inputs."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.permutation import Permutation
from hybrid_ir.sampling.policy import BatchPolicy
from hybrid_ir.sampling.streams import PatternIndex, Stream, build_streams

log = logging.getLogger(__name__)

VERSION = 1  # raise it whenever the same inputs would give another plan: old checkpoints must not resume on it
_DRAW, _ORDER, _PAIRS = range(3)  # what a random key is for


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
    """

    step: int
    kind: str
    corpus: int
    language: str | None
    examples: NDArray[np.int64]
    question_languages: NDArray[np.int8]
    passage_languages: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.examples)

    def slice(self, rank: int, world_size: int) -> "Batch":
        """The contiguous share of `rank`: slices of all ranks, in order of rank, are the batch."""
        assert len(self) % world_size == 0
        share = len(self) // world_size
        rows = slice(rank * share, (rank + 1) * share)
        return Batch(
            self.step,
            self.kind,
            self.corpus,
            self.language,
            self.examples[rows],
            self.question_languages[rows],
            self.passage_languages[rows],
        )


class EpochPlan:
    """The batches of one epoch; any of them is computed on its own, in time that does not depend on its position."""

    def __init__(self, plan: "BatchPlan", epoch: int) -> None:
        self._plan, self.epoch = plan, epoch
        rng = np.random.default_rng([plan.seed, epoch, _DRAW])
        cumulative = np.cumsum([probability for _, probability in plan.streams])
        draws = np.searchsorted(cumulative / cumulative[-1], rng.random(len(plan)), side="right")
        self.stream_of_batch = draws.astype(np.int32)
        """int32 (steps,): the stream each batch is drawn from."""
        self._occurrence = _occurrences(self.stream_of_batch)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, step: int) -> Batch:
        """The batch at `step`, 0 <= step < len."""
        if not 0 <= step < len(self):
            raise IndexError(step)
        plan, number = self._plan, int(self.stream_of_batch[step])
        stream = plan.streams[number][0]
        turn, place = divmod(int(self._occurrence[step]), stream.size // plan.batch_size)
        order = _permutation(stream.size, (plan.seed, self.epoch, _ORDER, number, turn))
        members = order(np.arange(place * plan.batch_size, (place + 1) * plan.batch_size))
        rng = np.random.default_rng([plan.seed, self.epoch, _PAIRS, step])
        examples, questions, passages = stream.rows(members, rng)
        language = None if stream.language is None else stream.index.coverage.languages[stream.language]
        return Batch(step, stream.kind, stream.corpus, language, examples, questions, passages)

    def batches_by_kind(self) -> dict[str, int]:
        """Realised number of batches of each kind."""
        kinds = [self._plan.streams[number][0].kind for number in self.stream_of_batch]
        return {kind: kinds.count(kind) for kind in self._plan.policy.probabilities}


class BatchPlan:
    """Draws every batch of a training run; a pure function of its arguments (DESIGN, invariant 1).

    Scheme. Each batch first draws its kind from the policy, then a corpus among those that can supply that kind
    ("sampled based on dataset size": probability proportional to size^(1/temperature), size being the number of
    examples that can take part), then, if monolingual, a language uniformly among the corpus' languages that have
    both sides. This names a stream. Within an epoch a stream is read in a random order without replacement; when fewer
    examples than a batch are left it starts over in a new order, so no batch holds an example twice. Each row's pair
    of languages is drawn uniformly from those its example offers.

    Args:
        coverages: the training corpora, in a fixed order.
        policy: the batch policy.
        batch_size: rows of the GLOBAL batch, over all ranks.
        seed: any non-negative integer.
        temperature: 1 draws corpora in proportion to size; larger values even the shares out.
        batches_per_epoch: length of an epoch; None for (examples that can take part) // batch_size.

    A language or corpus with fewer examples than a batch is not drawn from, which the log says.

    Raises:
        ValueError: no corpus can supply a batch kind, or fill a batch of it, or a language is unknown to every corpus.
    """

    def __init__(
        self,
        coverages: Sequence[Coverage],
        policy: BatchPolicy,
        batch_size: int,
        seed: int,
        temperature: float = 1.0,
        batches_per_epoch: int | None = None,
    ) -> None:
        if batch_size < 1 or temperature <= 0:
            raise ValueError(f"batch_size is {batch_size} and temperature {temperature}; both must be positive")
        self.coverages, self.policy = tuple(coverages), policy
        self.batch_size, self.seed = batch_size, seed
        self.temperature = temperature
        indexes = [PatternIndex(coverage) for coverage in self.coverages]
        self.streams = _weighted_streams(indexes, policy, temperature, batch_size)
        self._steps = batches_per_epoch or max(1, _usable(self.streams) // batch_size)

    def __len__(self) -> int:
        """Batches in every epoch, exactly."""
        return self._steps

    def epoch(self, epoch: int) -> EpochPlan:
        """The plan of an epoch, counted from 0."""
        return EpochPlan(self, epoch)

    def fingerprint(self) -> str:
        """Equal exactly where the plans are equal; kept in checkpoints."""
        digest = hashlib.sha256()
        facts = (VERSION, self.seed, self.batch_size, len(self), self.temperature, self.policy)
        digest.update(repr(facts).encode())
        for coverage in self.coverages:
            digest.update(repr((coverage.corpus, coverage.languages, coverage.size)).encode())
            digest.update(coverage.patterns.tobytes())
            digest.update(b"" if coverage.codes is None else coverage.codes.tobytes())
        return digest.hexdigest()


def _weighted_streams(
    indexes: Sequence[PatternIndex], policy: BatchPolicy, temperature: float, batch_size: int
) -> list[tuple[Stream, float]]:
    """Streams of the policy's kinds with their probabilities, which add up to 1."""
    known = {language for index in indexes for language in index.coverage.languages}
    unknown = sorted(set(policy.languages or ()) - known)
    if unknown:
        raise ValueError(f"sampler.languages names {', '.join(unknown)}; the corpora have {', '.join(sorted(known))}")
    weighted = []
    for kind, probability in policy.probabilities.items():
        streams = build_streams(indexes, kind, policy.languages)
        if not streams:
            corpora = ", ".join(index.coverage.corpus for index in indexes)
            raise ValueError(
                f"sampler {policy.name} draws {kind} batches, but no example of {corpora} has a {kind} pair"
            )
        by_corpus: dict[int, list[Stream]] = {}
        for stream in _large_enough(streams, batch_size):
            by_corpus.setdefault(stream.corpus, []).append(stream)
        weights = {corpus: _examples(group) ** (1 / temperature) for corpus, group in by_corpus.items()}
        total = sum(weights.values())
        weighted += [
            (stream, probability * weights[corpus] / total / len(group))
            for corpus, group in by_corpus.items()
            for stream in group
        ]
    return weighted


def _large_enough(streams: Sequence[Stream], batch_size: int) -> list[Stream]:
    """Streams that fill a batch without repetition; the others are named in the log, or refused if none is left."""
    small = [stream for stream in streams if stream.size < batch_size]
    listed = ", ".join(f"{stream.label} ({stream.size} examples)" for stream in small)
    if len(small) == len(streams):
        raise ValueError(
            f"a batch of {batch_size} cannot be filled without repeating an example from {listed}; "
            "lower data.batch_size"
        )
    if small:
        log.warning("not drawn from, since a batch of %d would repeat an example: %s", batch_size, listed)
    return [stream for stream in streams if stream.size >= batch_size]


def _examples(streams: Sequence[Stream]) -> int:
    """Examples of one corpus that are in any of `streams`."""
    patterns = sorted({int(pattern) for stream in streams for pattern in stream.patterns})
    return int(streams[0].index.counts[patterns].sum())


def _usable(weighted: Sequence[tuple[Stream, float]]) -> int:
    by_corpus: dict[int, list[Stream]] = {}
    for stream, _ in weighted:
        by_corpus.setdefault(stream.corpus, []).append(stream)
    return sum(_examples(streams) for streams in by_corpus.values())


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
