"""Measures the planning of 40 million examples: time to plan an epoch, time per batch at its end, memory.

python -m benchmarks.planning
"""

import platform
import resource
import time

import numpy as np

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid

EXAMPLES, BATCH, LANGUAGES = 40_000_000, 100, tuple("abcdefg")
DRAWN = 1000


def parallel() -> Coverage:
    """Every example in all seven languages."""
    everything = np.uint64((1 << len(LANGUAGES)) - 1)
    return Coverage("parallel", LANGUAGES, EXAMPLES, np.array([[everything, everything]], dtype=np.uint64))


def partial() -> Coverage:
    """A third each in all languages, in English only, and with questions in two languages."""
    patterns = np.array([[127, 127], [1, 1], [3, 127]], dtype=np.uint64)
    codes = np.random.default_rng(0).integers(0, 3, EXAMPLES).astype(np.uint8)
    return Coverage("partial", LANGUAGES, EXAMPLES, patterns, codes)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    print(f"{platform.processor() or platform.machine()}, {EXAMPLES:,} examples, batch {BATCH}, hybrid 0.5")
    for coverage in (parallel(), partial()):
        before, start = megabytes(), time.perf_counter()
        epoch = BatchPlan([coverage], Hybrid(0.5), BATCH, seed=0).epoch(3)
        planned = time.perf_counter() - start
        start = time.perf_counter()
        for step in range(len(epoch) - DRAWN, len(epoch)):
            epoch[step]
        drawn = (time.perf_counter() - start) / DRAWN * 1e3
        print(
            f"{coverage.corpus}: {len(epoch):,} batches planned in {planned:.2f} s, "
            f"{drawn:.2f} ms a batch at the epoch's end, peak memory +{megabytes() - before:.0f} MB"
        )


if __name__ == "__main__":
    main()
