"""Examples grouped by availability."""

import numpy as np
import pytest

from hybrid_ir.sampling import streams
from hybrid_ir.sampling.coverage import Coverage
from tests.sampling.coverages import LANGUAGES


def test_grouping_of_a_large_corpus_is_the_stable_order(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 5, 1000).astype(np.uint8)
    coverage = Coverage("c", LANGUAGES, 1000, np.full((5, 2), 7, dtype=np.uint64), codes)
    monkeypatch.setattr(streams, "_CHUNK", 64)
    index = streams.PatternIndex(coverage)
    assert index.counts.tolist() == np.bincount(codes).tolist()
    assert index.examples(np.arange(1000)).tolist() == np.argsort(codes, kind="stable").tolist()
