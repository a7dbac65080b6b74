"""Mixture of streams: the probability with which each batch is drawn from each stream."""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.policy import BatchPolicy
from hybrid_ir.sampling.streams import PatternIndex, Stream, build_streams

log = logging.getLogger(__name__)

_CELLS = 2**22  # probabilities computed at a time


class Mixture:
    """The streams of a policy's batch kinds, with their probabilities within each kind.

    A corpus is drawn with probability proportional to size^(1/temperature); then a stream of that kind and corpus with
    probability proportional to its weight.

    Args:
        coverages: the corpora.
        policy: the batch policy, which gives the kinds, languages and weights.
        temperature: exponent of the corpora's sizes, see above.
        batch_size: rows of a batch. Streams with fewer examples are left out, with a warning.

    Raises:
        ValueError: no corpus can supply a kind or fill a batch of it, or no corpus has one of the languages.
    """

    def __init__(self, coverages: Sequence[Coverage], policy: BatchPolicy, temperature: float, batch_size: int) -> None:
        _check_languages(coverages, policy)
        indexes = [PatternIndex(coverage) for coverage in coverages]
        self.streams: list[Stream] = []
        kinds, sizes, totals, parts = [], [], [], []
        for number, kind in enumerate(policy.kinds):
            by_corpus = _by_corpus(_large_enough(_supplied(indexes, kind, policy), batch_size))
            shares = _powers({corpus: _examples(group) for corpus, group in by_corpus.items()}, 1 / temperature)
            for corpus, group in by_corpus.items():
                self.streams += group
                kinds += [number] * len(group)
                sizes += [shares[corpus]] * len(group)
                totals += [sum(shares.values())] * len(group)
                parts += [sum(stream.weight for stream in group) / stream.weight for stream in group]
        self._kinds, self._sizes, self._totals, self._parts = map(np.asarray, (kinds, sizes, totals, parts))

    @property
    def examples(self) -> int:
        """Number of examples that can occur in a batch of some kind."""
        return sum(_examples(group) for group in _by_corpus(self.streams).values())

    def draw(self, shares: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int32]:
        """Draw the stream of each batch.

        Args:
            shares: float64 (N, number of kinds), probabilities of the kinds for each batch.
            points: float64 (N,), uniform random numbers in [0, 1).

        Returns:
            int32 (N,), positions in `streams`.
        """
        if (shares == shares[:1]).all():
            return np.searchsorted(self._cumulative(shares[:1])[0], points, side="right").astype(np.int32)
        rows = max(1, _CELLS // len(self.streams))
        draws = np.empty(len(points), dtype=np.int32)
        for chunk in (slice(start, start + rows) for start in range(0, len(points), rows)):
            draws[chunk] = (self._cumulative(shares[chunk]) <= points[chunk, None]).sum(axis=1)
        return draws

    def _cumulative(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 (N, number of streams): cumulative probabilities of the streams for each batch."""
        probabilities = shares[:, self._kinds] * self._sizes / self._totals / self._parts
        cumulative: NDArray[np.float64] = np.cumsum(probabilities, axis=1)
        cumulative /= cumulative[:, -1:]
        return cumulative


def _check_languages(coverages: Sequence[Coverage], policy: BatchPolicy) -> None:
    known = {language for coverage in coverages for language in coverage.languages}
    unknown = sorted(set(policy.languages or ()) - known)
    if unknown:
        raise ValueError(f"`sampler.languages` names {', '.join(unknown)}; the corpora have {', '.join(sorted(known))}")
    policy.weights.check_languages(policy.languages or known)


def _supplied(indexes: Sequence[PatternIndex], kind: str, policy: BatchPolicy) -> list[Stream]:
    streams = build_streams(indexes, kind, policy.languages, policy.weights)
    if not streams:
        corpora = ", ".join(index.coverage.corpus for index in indexes)
        weighted = " with a weight above 0 in `sampler.weights`" if policy.weights.facts else ""
        raise ValueError(
            f"sampler {policy.name} draws {kind} batches, but no example of {corpora} has a {kind} pair{weighted}"
        )
    return streams


def _large_enough(streams: Sequence[Stream], batch_size: int) -> list[Stream]:
    """The streams that can fill a batch without repetition. Warns about the others; raises if none is left."""
    small = [stream for stream in streams if stream.size < batch_size]
    listed = ", ".join(f"{stream.label} ({stream.size} examples)" for stream in small)
    if len(small) == len(streams):
        raise ValueError(
            f"a batch of {batch_size} cannot be filled without repeating an example of {listed}; lower data.batch_size"
        )
    if small:
        log.warning("too small for a batch of %d without repeated examples, left out: %s", batch_size, listed)
    return [stream for stream in streams if stream.size >= batch_size]


def _by_corpus(streams: Sequence[Stream]) -> dict[int, list[Stream]]:
    groups: dict[int, list[Stream]] = {}
    for stream in streams:
        groups.setdefault(stream.corpus, []).append(stream)
    return groups


def _powers(sizes: Mapping[int, int], power: float) -> dict[int, float]:
    """size^power of each corpus, up to a common factor."""
    try:
        powers = {corpus: float(size**power) for corpus, size in sizes.items()}
        if math.isfinite(sum(powers.values())):
            return powers
    except OverflowError:
        pass
    # Only after an overflow: the division rounds, which would change existing plans.
    largest = max(sizes.values())
    return {corpus: (size / largest) ** power for corpus, size in sizes.items()}


def _examples(streams: Sequence[Stream]) -> int:
    """Number of examples in any of the `streams`, all of one corpus."""
    patterns = sorted({int(pattern) for stream in streams for pattern in stream.patterns})
    return int(streams[0].index.counts[patterns].sum())
