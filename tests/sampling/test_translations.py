"""Languages of translations: drawn beside the plan, uniformly among those that an example has left."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import BatchPolicy, Hybrid, Single
from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.sampling.translations import Translations
from tests.sampling.coverages import LANGUAGES, parallel, partial_corpus
from tests.sampling.test_plan import same

SIDES = ("question", "passage")


def plan(corpora: list[Coverage], wanted: Translations, policy: BatchPolicy | None = None, seed: int = 3) -> BatchPlan:
    return BatchPlan(corpora, policy or Hybrid(0.5), 6, seed, translations=wanted)


@given(
    corpus=partial_corpus(),
    questions=st.integers(0, 3),
    passages=st.integers(1, 3),
    fixed=st.none() | st.sampled_from(LANGUAGES),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_translations_are_other_languages_of_the_same_example(
    corpus: Coverage, questions: int, passages: int, fixed: str | None, seed: int
) -> None:
    wanted = Translations(questions, passages, fixed)
    batches, plain = plan([corpus], wanted, seed=seed).epoch(1), plan([corpus], Translations(), seed=seed).epoch(1)
    for step in range(len(batches)):
        batch = batches[step]
        assert same(batch, plain[step])  # the pairs are those of a loss without translations
        masks = corpus.patterns[corpus.codes[batch.examples]]
        for side, (name, slots) in enumerate(zip(SIDES, (questions, passages), strict=True)):
            drawn = getattr(batch, f"{name}_translations")
            assert drawn.shape == (6, slots) and drawn.dtype == np.int8
            for row, own, mask in zip(drawn.tolist(), getattr(batch, f"{name}_languages"), masks[:, side], strict=True):
                left = {bit for bit in range(3) if int(mask) >> bit & 1} - {int(own)}
                if fixed and name == "question":
                    left &= {LANGUAGES.index(fixed)}
                filled = [code for code in row if code >= 0]
                assert len(set(filled)) == len(filled) == min(slots, len(left)) and set(filled) <= left
                assert row[len(filled) :] == [-1] * (slots - len(filled))


def test_languages_are_drawn_uniformly_and_anew_in_every_batch() -> None:
    whole = BatchPlan([parallel(600)], Single("crosslingual", "cross"), 60, 0, translations=Translations(passages=1))
    drawn = Counter(
        (int(own), int(other))
        for epoch in range(10)
        for step in range(len(whole))
        for batch in [whole.epoch(epoch)[step]]
        for own, (other,) in zip(batch.passage_languages, batch.passage_translations, strict=True)
    )
    assert len(drawn) == 6
    assert max(abs(count - 1000) for count in drawn.values()) < 3.3 * np.sqrt(6000 * 5 / 36)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_ranks_share_the_draw(world_size: int) -> None:
    whole = plan([parallel(60)], Translations(1, 2))
    ranks = [list(BatchPlanSampler(whole, rank, world_size)) for rank in range(world_size)]
    for step, slices in enumerate(zip(*ranks, strict=True)):
        for name in ("question_translations", "passage_translations"):
            parts = np.concatenate([getattr(part, name) for part in slices])
            assert np.array_equal(parts, getattr(whole.epoch(0)[step], name))


def test_languages_of_the_sampler_bound_those_of_translations() -> None:
    policy = Hybrid(0.5, languages=("de", "en"))
    batch = plan([parallel(60)], Translations(passages=2), policy).epoch(0)[0]
    assert set(batch.passage_translations[:, 0].tolist()) <= {1, 2}
    assert (batch.passage_translations[:, 1] == -1).all()


def test_the_fingerprint_tells_translations_apart() -> None:
    prints = {
        plan([parallel(60)], wanted).fingerprint()
        for wanted in (Translations(), Translations(1), Translations(0, 1), Translations(1, 0, "en"))
    }
    assert len(prints) == 4
    assert BatchPlan([parallel(60)], Hybrid(0.5), 6, 3).fingerprint() in prints


ENGLISH = parallel(60, "english", languages=("en",))
ASKED = np.array([[7, 1]], dtype=np.uint64)


@pytest.mark.parametrize(
    ("corpus", "wanted", "message"),
    [
        (ENGLISH, Translations(passages=1), "no example of english has its passage in two languages that are trained"),
        (ENGLISH, Translations(questions=1), "its question in two languages"),
        (ENGLISH, Translations(1, 0, "en"), "its question in en and another language"),
        (parallel(60), Translations(1, 0, "fr"), "its question in fr and another language"),
        (Coverage("asked", LANGUAGES, 60, ASKED), Translations(1, 1), "no example of asked has its passage in two"),
    ],
)
def test_corpora_without_translations_are_refused(corpus: Coverage, wanted: Translations, message: str) -> None:
    with pytest.raises(ValueError, match=message + r".*; take a parallel corpus"):
        plan([corpus], wanted, Single("monolingual", "mono"))


def test_a_corpus_without_translations_beside_one_with_them_is_named(caplog: pytest.LogCaptureFixture) -> None:
    batches = plan([parallel(60), ENGLISH], Translations(passages=1), Single("monolingual", "mono")).epoch(0)
    assert "no example of english has its passage in two languages" in caplog.text
    drawn = {batch.corpus: batch.passage_translations for batch in (batches[step] for step in range(len(batches)))}
    assert (drawn[0] >= 0).all() and (drawn[1] == -1).all()
