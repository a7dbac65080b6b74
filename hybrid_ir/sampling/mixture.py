"""Mixture of streams: the probability with which each batch is drawn from each stream."""

import logging
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.policy import DRAWS, LANGUAGE_FIRST, MONOLINGUAL, BatchPolicy
from hybrid_ir.sampling.streams import PatternIndex, Stream, build_streams
from hybrid_ir.sampling.weights import LanguageWeights

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

_CELLS = 2**22  # probabilities computed at a time


class Mixture:
    """The streams of a policy's batch kinds, with their probabilities within each kind.

    The size of a corpus for a set of its streams is the number of examples that can take part in any of them; if a size
    is declared, it is that size times the share of these examples in the corpus.

    Corpus first: a corpus is drawn with probability proportional to size^(1/temperature); then a stream of that kind
    and corpus with probability proportional to its weight.

    Language first (monolingual batches only; others are drawn as above): a language is drawn with probability
    proportional to its weight, among all languages in which some corpus can fill a batch; then a corpus among those,
    with probability proportional to size^(1/temperature), where size counts the examples in that language. With one
    corpus, both draws are the same.

    Args:
        coverages: the corpora.
        policy: the batch policy, which gives the kinds, languages, weights and the order of the draw.
        temperature: exponent of the corpora's sizes, see above.
        batch_size: rows of a batch. Streams with fewer examples are left out, with a warning.

    Raises:
        ValueError: no corpus can supply a kind or fill a batch of it, no corpus has one of the languages, or the order
            of the draw is unknown.
    """

    def __init__(self, coverages: Sequence[Coverage], policy: BatchPolicy, temperature: float, batch_size: int) -> None:
        if policy.draw not in DRAWS:
            raise ValueError(f"`sampler.draw` must be {' or '.join(DRAWS)}, got {policy.draw!r}")
        _check_languages(coverages, policy)
        indexes = [PatternIndex(coverage) for coverage in coverages]
        self.streams: list[Stream] = []
        kinds: list[int] = []
        factors: list[_Factors] = []
        for number, kind in enumerate(policy.kinds):
            streams = _large_enough(_supplied(indexes, kind, policy), batch_size)
            if kind == MONOLINGUAL and policy.draw == LANGUAGE_FIRST:
                factors += _language_first(streams, 1 / temperature, policy.weights)
            else:
                factors += _corpus_first(streams, 1 / temperature)
            self.streams += streams
            kinds += [number] * len(streams)
        self._kinds = np.asarray(kinds)
        self._sizes, self._totals, self._parts = np.asarray(factors, dtype=np.float64).T

    @property
    def examples(self) -> int:
        """Number of examples that can occur in a batch of some kind."""
        return sum(map(_examples, _grouped(self.streams, [stream.corpus for stream in self.streams]).values()))

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

    def probabilities(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 (N, number of streams): probability of each stream for each batch, given those of the kinds."""
        probabilities: NDArray[np.float64] = shares[:, self._kinds] * self._sizes / self._totals / self._parts
        return probabilities

    def _cumulative(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 (N, number of streams): cumulative probabilities of the streams for each batch."""
        cumulative: NDArray[np.float64] = np.cumsum(self.probabilities(shares), axis=1)
        cumulative /= cumulative[:, -1:]
        return cumulative


class _Factors(NamedTuple):
    """Probability of a stream among those of its kind: size / total is that of its corpus, 1 / parts its language's.

    The factors stay apart: multiplied in another order they round differently, which would change existing plans.
    """

    size: float
    total: float
    parts: float


def _corpus_first(streams: Sequence[Stream], power: float) -> list[_Factors]:
    by_corpus = _grouped(streams, [stream.corpus for stream in streams])
    sizes = _powers({corpus: _size(group) for corpus, group in by_corpus.items()}, power)
    weights = {corpus: sum(stream.weight for stream in group) for corpus, group in by_corpus.items()}
    total = sum(sizes.values())
    return [_Factors(sizes[stream.corpus], total, weights[stream.corpus] / stream.weight) for stream in streams]


def _language_first(streams: Sequence[Stream], power: float, weights: LanguageWeights) -> list[_Factors]:
    codes = [str(stream.code) for stream in streams]
    by_language = _grouped(streams, codes)
    data = np.diag([sum(_size([stream]) for stream in group) for group in by_language.values()])
    weight = dict(zip(by_language, weights.of(list(by_language), data).diagonal().tolist(), strict=True))
    whole, factors = sum(weight.values()), []
    for code, stream in zip(codes, streams, strict=True):
        sizes = _powers({other.corpus: _size([other]) for other in by_language[code]}, power)
        parts = whole / weight[code] if weight[code] else math.inf  # its power of the size may underflow
        factors.append(_Factors(sizes[stream.corpus], sum(sizes.values()), parts))
    return factors


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


def _grouped(streams: Sequence[Stream], keys: Sequence[K]) -> dict[K, list[Stream]]:
    groups: dict[K, list[Stream]] = {}
    for stream, key in zip(streams, keys, strict=True):
        groups.setdefault(key, []).append(stream)
    return groups


def _powers(sizes: Mapping[int, float], power: float) -> dict[int, float]:
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


def _size(streams: Sequence[Stream]) -> float:
    """The size of `streams`, all of one corpus, in draws of corpora."""
    return _examples(streams) * streams[0].index.coverage.scale


def _examples(streams: Sequence[Stream]) -> int:
    """Number of examples in any of the `streams`, all of one corpus."""
    patterns = sorted({int(pattern) for stream in streams for pattern in stream.patterns})
    return int(streams[0].index.counts[patterns].sum())
