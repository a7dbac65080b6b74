"""Random corpora, weights and schedules, and the comparison of batches, for the tests of this folder."""

import numpy as np
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import Batch
from hybrid_ir.sampling.schedule import Ramp, Steps
from hybrid_ir.sampling.weights import LanguageWeights

LANGUAGES = ("ar", "de", "en")

alphas = st.floats(0, 1)
ramps = st.builds(Ramp, start=alphas, shape=st.sampled_from(["linear", "cosine"]))


def parallel(size: int, name: str = "parallel", languages: tuple[str, ...] = LANGUAGES) -> Coverage:
    mask = (1 << len(languages)) - 1
    return Coverage(name, languages, size, np.array([[mask, mask]], dtype=np.uint64))


def partial(patterns: list[list[int]], codes: list[int]) -> Coverage:
    """A corpus with the given availability pattern of each example."""
    return Coverage("partial", LANGUAGES, len(codes), np.array(patterns, np.uint64), np.array(codes, np.uint8))


@st.composite
def partial_corpus(draw: st.DrawFn) -> Coverage:
    """A corpus in which enough examples have everything and the rest have something."""
    codes = [0] * 12 + draw(st.lists(st.integers(0, 3), min_size=0, max_size=60))
    order = np.random.default_rng(len(codes)).permutation(len(codes))
    return partial([[7, 7], [4, 7], [7, 1], [4, 4]], [codes[position] for position in order])


@st.composite
def steps(draw: st.DrawFn) -> Steps:
    until = sorted(draw(st.sets(st.floats(0.01, 1), min_size=1, max_size=4)))
    return Steps(draw(st.lists(alphas, min_size=len(until), max_size=len(until))), until)


_weight = st.sampled_from([0.0, 0.5, 1.0, 3.0])
_side = st.dictionaries(st.sampled_from(LANGUAGES), _weight.filter(bool)) | st.none()
language_weights = st.just(LanguageWeights()) | st.builds(
    LanguageWeights,
    question=_side,
    passage=_side,
    pairs=st.dictionaries(st.sampled_from(["ar", "de"]), st.dictionaries(st.sampled_from(["en", "ar"]), _weight)),
    temperature=st.none() | st.sampled_from([1.0, 5.0]),
)
"""Weights under which every kind of batch is still possible: English has no pair of weight 0."""


def same(first: Batch, second: Batch, translations: bool = True) -> bool:
    """Whether two batches have the same rows, in the same languages."""
    fields = ["examples", "question_languages", "passage_languages"]
    fields += ["question_translations", "passage_translations"] if translations else []
    return (first.kind, first.corpus, first.language) == (second.kind, second.corpus, second.language) and all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in fields
    )
