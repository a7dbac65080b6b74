"""How often each stream is drawn from."""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.policy import BatchPolicy
from hybrid_ir.sampling.streams import PatternIndex, Stream, build_streams

log = logging.getLogger(__name__)

_CELLS = 2**22  # probabilities held at a time


class Mixture:
    """The streams of a policy's kinds, with their probabilities within their kind.

    A corpus is drawn in proportion to size^(1/temperature), a stream among those of its kind and corpus in proportion
    to its weight.

    Args:
        coverages: the corpora.
        policy: which kinds are drawn, over which languages, weighted how.
        temperature: of the corpora's sizes.
        batch_size: rows of a batch; a stream with fewer examples is not drawn from, which the log says.

    Raises:
        ValueError: no corpus can supply a kind, or fill a batch of it, or a language is unknown to every corpus.
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
        """Examples that can take part in a batch of any kind."""
        return sum(_examples(group) for group in _by_corpus(self.streams).values())

    def draw(self, shares: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int32]:
        """The stream of each batch.

        Args:
            shares: float64 (N, number of kinds), the probabilities of the kinds at each batch.
            points: float64 (N,), in [0, 1), uniform.

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
        """float64 (N, number of streams): the probability of each stream and those before it."""
        probabilities = shares[:, self._kinds] * self._sizes / self._totals / self._parts
        cumulative: NDArray[np.float64] = np.cumsum(probabilities, axis=1)
        cumulative /= cumulative[:, -1:]
        return cumulative


def _check_languages(coverages: Sequence[Coverage], policy: BatchPolicy) -> None:
    known = {language for coverage in coverages for language in coverage.languages}
    unknown = sorted(set(policy.languages or ()) - known)
    if unknown:
        raise ValueError(f"sampler.languages names {', '.join(unknown)}; the corpora have {', '.join(sorted(known))}")
    policy.weights.check_languages(policy.languages or known)


def _supplied(indexes: Sequence[PatternIndex], kind: str, policy: BatchPolicy) -> list[Stream]:
    streams = build_streams(indexes, kind, policy.languages, policy.weights)
    if not streams:
        corpora = ", ".join(index.coverage.corpus for index in indexes)
        weighted = " that weighs more than 0 in sampler.weights" if policy.weights.facts else ""
        raise ValueError(
            f"sampler {policy.name} draws {kind} batches, but no example of {corpora} has a {kind} pair{weighted}"
        )
    return streams


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


def _by_corpus(streams: Sequence[Stream]) -> dict[int, list[Stream]]:
    groups: dict[int, list[Stream]] = {}
    for stream in streams:
        groups.setdefault(stream.corpus, []).append(stream)
    return groups


def _powers(sizes: Mapping[int, int], power: float) -> dict[int, float]:
    """size^power of each corpus, up to a factor that all of them share."""
    try:
        powers = {corpus: float(size**power) for corpus, size in sizes.items()}
        if math.isfinite(sum(powers.values())):
            return powers
    except OverflowError:
        pass
    # Not for all sizes: the division rounds, and plans that are known would change.
    largest = max(sizes.values())
    return {corpus: (size / largest) ** power for corpus, size in sizes.items()}


def _examples(streams: Sequence[Stream]) -> int:
    """Examples of one corpus that are in any of `streams`."""
    patterns = sorted({int(pattern) for stream in streams for pattern in stream.patterns})
    return int(streams[0].index.counts[patterns].sum())
