"""The guarantees of the batch plan, as properties over random corpora."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import Batch, BatchPlan
from hybrid_ir.sampling.policy import BatchPolicy, Hybrid, Single
from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.sampling.schedule import Constant, Ramp, RunLength
from hybrid_ir.sampling.weights import LanguageWeights
from tests.sampling.coverages import LANGUAGES, parallel, partial_corpus

POLICIES: list[BatchPolicy] = [
    Hybrid(0.0),
    Hybrid(0.3),
    Hybrid(1.0),
    Single("monolingual", "mono"),
    Single("crosslingual", "cross"),
    Single("mixed", "mixed"),
    Single("monolingual", "english", languages=("en",)),
]

GOLDEN = [("m", 0, 98, 37, 321, 464), ("m", 1, 212, 15, 106, 278), ("c", 1, 171, 16, 180, 241)]
FINGERPRINT = "081908d1cb9f8c8459f6a5bf025a0011eed3c4ee043ab3dbf753b8d4be3f560e"


def same(first: Batch, second: Batch) -> bool:
    fields = ("examples", "question_languages", "passage_languages")
    return (first.kind, first.corpus, first.language) == (second.kind, second.corpus, second.language) and all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in fields
    )


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.name}-{getattr(policy, 'alpha', '')}")
@given(corpus=partial_corpus(), seed=st.integers(0, 10), epoch=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_every_batch_keeps_the_promises_of_its_kind(
    policy: BatchPolicy, corpus: Coverage, seed: int, epoch: int
) -> None:
    plan = BatchPlan([corpus], policy, batch_size=6, seed=seed).epoch(epoch)
    batches = [plan[step] for step in range(len(plan))]
    assert len(batches) == len(plan) >= 1
    for batch in batches:
        questions, passages = corpus.patterns[corpus.codes[batch.examples]].T
        assert len(set(batch.examples)) == len(batch) == 6
        assert (questions >> batch.question_languages.astype(np.uint64) & np.uint64(1)).all()
        assert (passages >> batch.passage_languages.astype(np.uint64) & np.uint64(1)).all()
        equal = batch.question_languages == batch.passage_languages
        assert not equal.any() if batch.kind == "crosslingual" else equal.all()
        if batch.kind == "monolingual":
            assert {LANGUAGES[code] for code in batch.question_languages} == {batch.language}
        assert batch.kind in policy.kinds
        assert policy.languages is None or batch.language in policy.languages


@given(corpus=partial_corpus(), alpha=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_plan_is_pure_and_addressable(corpus: Coverage, alpha: float, seed: int) -> None:
    plans = [BatchPlan([corpus, parallel(50)], Hybrid(alpha), 6, seed).epoch(2) for _ in range(2)]
    forward = [plans[0][step] for step in range(len(plans[0]))]
    backward = [plans[1][step] for step in reversed(range(len(plans[1])))][::-1]
    assert all(map(same, forward, backward))


@pytest.mark.parametrize("world_size", [1, 2, 3, 6])
def test_rank_slices_are_disjoint_and_make_up_the_plan(world_size: int) -> None:
    plan = BatchPlan([parallel(100)], Hybrid(0.5), 6, seed=1)
    ranks = [list(BatchPlanSampler(plan, rank, world_size)) for rank in range(world_size)]
    assert {len(batches) for batches in ranks} == {len(plan)}
    for step, slices in enumerate(zip(*ranks, strict=True)):
        whole = plan.epoch(0)[step]
        assert {(part.kind, part.language) for part in slices} == {(whole.kind, whole.language)}
        assert np.array_equal(np.concatenate([part.examples for part in slices]), whole.examples)


def test_stream_is_read_without_replacement_until_it_is_exhausted() -> None:
    plan = BatchPlan([parallel(40)], Single("crosslingual", "cross"), 6, seed=3, batches_per_epoch=20).epoch(0)
    passes = [Counter(np.concatenate([plan[s].examples for s in range(t, t + 6)]).tolist()) for t in (0, 6, 12)]
    assert all(set(counts.values()) == {1} for counts in passes)  # 40 // 6 = 6 batches a pass
    assert len({frozenset(counts) for counts in passes}) > 1  # another order, so another remainder is left out


def test_epochs_and_seeds_differ() -> None:
    def examples(seed: int, epoch: int) -> list[int]:
        return BatchPlan([parallel(1000)], Hybrid(0.5), 10, seed).epoch(epoch)[0].examples.tolist()

    assert len({tuple(examples(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_realised_share_follows_alpha(alpha: float) -> None:
    plan = BatchPlan([parallel(1000)], Hybrid(alpha), 10, seed=0, batches_per_epoch=2000).epoch(0)
    share = plan.batches_by_kind().get("monolingual", 0) / len(plan)
    assert abs(share - alpha) <= 3.3 * np.sqrt(alpha * (1 - alpha) / len(plan))  # exact at 0 and 1


def test_monolingual_languages_are_drawn_uniformly() -> None:
    plan = BatchPlan([parallel(1000)], Single("monolingual", "mono"), 10, seed=0, batches_per_epoch=3000).epoch(0)
    counts = Counter(plan[step].language for step in range(len(plan)))
    assert set(counts) == set(LANGUAGES)
    assert max(abs(count - 1000) for count in counts.values()) < 3.3 * np.sqrt(3000 * 2 / 9)


@pytest.mark.parametrize(("temperature", "share"), [(1.0, 0.9), (2.0, 0.75), (1e-3, 1.0)])
def test_corpora_are_drawn_by_size(temperature: float, share: float) -> None:
    """At the last, powers of the sizes are too large for a float."""
    corpora = [parallel(900, "large"), parallel(100, "small")]
    plan = BatchPlan(corpora, Hybrid(0.5), 10, seed=0, temperature=temperature, batches_per_epoch=3000).epoch(0)
    large = np.mean([plan[step].corpus == 0 for step in range(len(plan))])
    assert abs(large - share) < 0.03


def test_english_only_corpus_yields_monolingual_batches_alone() -> None:
    corpora = [parallel(100), parallel(100, "squad", languages=("en",))]
    plan = BatchPlan(corpora, Hybrid(0.5), 10, seed=0, batches_per_epoch=400).epoch(0)
    kinds = Counter((plan[step].corpus, plan[step].kind) for step in range(len(plan)))
    assert kinds[1, "monolingual"] > 50
    assert kinds[1, "crosslingual"] == 0
    assert abs(plan.batches_by_kind()["monolingual"] / 400 - 0.5) < 0.09  # the mixture does not bend alpha


def test_pairs_of_a_cross_lingual_batch_cover_all_language_pairs() -> None:
    plan = BatchPlan([parallel(600)], Single("crosslingual", "cross"), 60, seed=0).epoch(0)
    pairs = Counter(
        pair
        for step in range(len(plan))
        for pair in zip(plan[step].question_languages, plan[step].passage_languages, strict=True)
    )
    assert len(pairs) == 6
    assert min(pairs.values()) > 60


def test_language_too_small_for_a_batch_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    patterns, codes = np.array([[7, 7], [6, 6]], dtype=np.uint64), np.array([0] * 5 + [1] * 20, dtype=np.uint8)
    corpus = Coverage("partial", LANGUAGES, 25, patterns, codes)
    plan = BatchPlan([corpus], Single("monolingual", "mono"), 10, seed=0, batches_per_epoch=50).epoch(0)
    assert {plan[step].language for step in range(50)} == {"de", "en"}
    assert "partial/monolingual/ar (5 examples)" in caplog.text


def test_plans_of_this_version_are_what_they_were() -> None:
    """A plan that changes under the same inputs would break every checkpoint: raise `plan.VERSION` with it."""
    whole = BatchPlan([parallel(1000), parallel(300, "small")], Hybrid(0.5), 4, seed=7)
    plan = whole.epoch(2)
    rows = [(plan[step].kind[0], plan[step].corpus, *plan[step].examples.tolist()) for step in (0, 1, 200)]
    assert rows == GOLDEN
    assert whole.fingerprint() == FINGERPRINT


def test_fingerprint_leaves_out_what_changes_no_draw() -> None:
    def plan(**policy: Any) -> BatchPlan:
        return BatchPlan([parallel(100)], Hybrid(0.5, **policy), 10, seed=0, length=RunLength(max_epochs=3))

    plain, neutral = plan(), LanguageWeights(question={"de": 1}, pairs={"en": {"de": 1.0}})
    for other in (plan(schedule=Constant()), plan(schedule=Constant(batches=7)), plan(weights=neutral)):
        assert other.fingerprint() == plain.fingerprint()
        assert all(same(other.epoch(1)[step], plain.epoch(1)[step]) for step in range(len(plain)))
    assert plan(schedule=Ramp(1.0)).fingerprint() != plain.fingerprint()
    assert plan(weights=LanguageWeights(question={"de": 2})).fingerprint() != plain.fingerprint()


def test_fingerprint_tells_plans_apart() -> None:
    def fingerprint(alpha: float = 0.5, size: int = 100, seed: int = 0, batch: int = 10) -> str:
        return BatchPlan([parallel(size)], Hybrid(alpha), batch, seed).fingerprint()

    assert fingerprint() == fingerprint()
    assert (
        len({fingerprint(), fingerprint(alpha=0.4), fingerprint(size=101), fingerprint(seed=1), fingerprint(batch=5)})
        == 5
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([parallel(5)], Hybrid(0.5), 10), r"batch of 10 cannot be filled .* parallel/monolingual/ar \(5 examples\)"),
        (
            ([parallel(50, languages=("en",))], Single("crosslingual", "cross"), 10),
            "no example of parallel has a cross",
        ),
        (([parallel(50)], Single("monolingual", "x", languages=("xx",)), 10), "names xx; the corpora have ar, de, en"),
        (([parallel(50)], Hybrid(0.5), 0), "must be positive"),
    ],
)
def test_impossible_plans_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BatchPlan(*arguments, seed=0)


@pytest.mark.parametrize("alpha", [-0.1, 1.5])
def test_alpha_is_a_probability(alpha: float) -> None:
    with pytest.raises(ValueError, match=rf"sampler.alpha is {alpha}"):
        Hybrid(alpha)


def test_batch_must_divide_by_the_processes() -> None:
    with pytest.raises(ValueError, match="must divide by the 3 processes"):
        BatchPlanSampler(BatchPlan([parallel(50)], Hybrid(0.5), 10, seed=0), 0, 3)
