"""Coverages for the tests of this folder."""

import numpy as np
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage

LANGUAGES = ("ar", "de", "en")


def parallel(size: int, name: str = "parallel", languages: tuple[str, ...] = LANGUAGES) -> Coverage:
    mask = (1 << len(languages)) - 1
    return Coverage(name, languages, size, np.array([[mask, mask]], dtype=np.uint64))


@st.composite
def partial_corpus(draw: st.DrawFn) -> Coverage:
    """A corpus in which enough examples have everything and the rest have something."""
    patterns = [[7, 7], [4, 7], [7, 1], [4, 4]]
    codes = draw(st.lists(st.integers(0, 3), min_size=0, max_size=60))
    codes = np.array([0] * 12 + codes, dtype=np.uint8)
    np.random.default_rng(len(codes)).shuffle(codes)
    return Coverage("partial", LANGUAGES, len(codes), np.array(patterns, dtype=np.uint64), codes)
