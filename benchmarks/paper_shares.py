"""Shares of the paper's training data in a plan: Table 9 of arXiv:2408.10536 at its full sizes, under both draws.

python -m benchmarks.paper_shares
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import DRAWS, MONOLINGUAL, Hybrid

MMARCO = ("ar", "de", "en", "es", "hi", "ru", "zh")
NINE = ("ar", "de", "en", "es", "hi", "ru", "th", "tr", "zh")
TABLE_9 = {  # languages and examples in each of them
    "mMARCO": (MMARCO, 39_780_811),
    "MFAQ": (("en",), 3_567_659),
    "EntityQuestions": (NINE, 176_975),
    "Yahoo QA": (NINE, 135_557),
    "Google NQ": (NINE, 113_535),
    "NewsQA": (NINE, 59_496),
    "DuoRC": (NINE, 33_298),
    "Mr. TyDi": (("en",), 3_547),
    "WikiQA": (NINE, 1_469),
}
PAIRS = 532_761  # distinct pairs of mMARCO (rows of MS MARCO's qrels), which its reader counts by default
BATCHES = 200_000


def coverages() -> list[Coverage]:
    """The corpora: every example in all of its languages, so they need no memory per example."""
    return [
        Coverage(name, languages, size, np.full((1, 2), (1 << len(languages)) - 1, dtype=np.uint64))
        for name, (languages, size) in TABLE_9.items()
    ]


def by_language(plan: BatchPlan, shares: NDArray[np.float64]) -> dict[str, float]:
    """Language -> share of the monolingual batches, given the share of each stream."""
    found = dict.fromkeys(NINE, 0.0)
    for stream, share in zip(plan.mixture.streams, shares.tolist(), strict=True):
        if stream.code is not None:
            found[stream.code] += share
    total = sum(found.values())
    return {language: share / total for language, share in found.items()}


def main() -> None:
    whole = coverages()
    pairs = [replace(whole[0], size=PAIRS), *whole[1:]]
    declared = [replace(pairs[0], declared=float(whole[0].size)), *whole[1:]]
    print(f"share of monolingual batches by language, per cent: expected (realised in {BATCHES:,} batches)")
    print("the paper, every language alike:", f"{100 / len(NINE):.1f}")
    for counted, corpora in (("triples", whole), ("pairs", pairs), ("pairs, mMARCO declared", declared)):
        for draw in DRAWS:
            plan = BatchPlan(corpora, Hybrid(0.5, draw=draw), 100, seed=1, batches_per_epoch=BATCHES)
            realised = np.bincount(plan.epoch(0).stream_of_batch, minlength=len(plan.mixture.streams)) / BATCHES
            found = by_language(plan, realised)
            cells = [f"{code} {100 * share:.2f} ({100 * found[code]:.2f})" for code, share in
                     by_language(plan, plan.shares()).items()]  # fmt: skip
            cross = sum(share for stream, share in zip(plan.mixture.streams, plan.shares(), strict=True)
                        if stream.kind != MONOLINGUAL and stream.corpus == 0)  # fmt: skip
            print(f"{counted}, {draw}: {'  '.join(cells)}; mMARCO in cross-lingual batches {200 * cross:.1f}")


if __name__ == "__main__":
    main()
