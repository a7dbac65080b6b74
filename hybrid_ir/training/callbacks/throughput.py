"""Training throughput: pairs and tokens per second, and the share of time spent waiting for data."""

import time
from collections.abc import Callable

PAIRS, TOKENS, WAITING = "train/pairs_per_second", "train/tokens_per_second", "train/waiting_for_data"
RATES = (PAIRS, TOKENS, WAITING)


class Throughput:
    """Rates over the time from one batch's end to the next, smoothed over about `smoothing` batches.

    Time between batches counts, but evaluation does not: call `pause` before it. Waiting for data is the time between
    the end of a batch and the start of the next as the Python process sees it; a GPU may still be computing then.

    Args:
        smoothing: number of batches that rates are averaged over.
        clock: a function that returns the time in seconds.
    """

    def __init__(self, smoothing: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.smoothing, self.clock = smoothing, clock
        self._ended: float | None = None
        self._waited = 0.0
        self._sums: tuple[float, float, float, float] | None = None  # of seconds, waiting seconds, pairs, tokens

    def pause(self) -> None:
        """Leave the time until the next batch ends out of the rates."""
        self._ended = None

    def batch_started(self) -> None:
        """Call this when the next batch has arrived."""
        self._waited = 0.0 if self._ended is None else self.clock() - self._ended

    def batch_ended(self, pairs: int, tokens: int) -> None:
        """Call this when a batch has been trained on.

        Args:
            pairs: number of pairs on all ranks.
            tokens: number of tokens on all ranks without padding, or an estimate from one rank.
        """
        now = self.clock()
        if self._ended is not None:
            new = (now - self._ended, self._waited, float(pairs), float(tokens))
            keep = 0.0 if self._sums is None else 1 - 1 / self.smoothing
            seconds, waited, counted, read = (
                keep * old + (1 - keep) * value for old, value in zip(self._sums or new, new, strict=True)
            )
            self._sums = seconds, waited, counted, read
        self._ended = now

    @property
    def seconds_per_batch(self) -> float | None:
        """Seconds per batch; None before the second batch."""
        return None if self._sums is None else self._sums[0]

    @property
    def rates(self) -> dict[str, float]:
        """Values of `RATES`: pairs and tokens per second, and a share of the time; empty before the second batch."""
        if self._sums is None or self._sums[0] <= 0:
            return {}
        seconds, waited, pairs, tokens = self._sums
        return {PAIRS: pairs / seconds, TOKENS: tokens / seconds, WAITING: waited / seconds}
