"""Contracts of the batch plan: what every batch promises, purity, rank slices, fingerprints and refusals."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import BatchPolicy, Hybrid, Single
from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.sampling.schedule import AlphaSchedule, Constant, Ramp, RunLength, Steps
from hybrid_ir.sampling.translations import Translations
from hybrid_ir.sampling.weights import LanguageWeights
from tests.sampling.coverages import (
    LANGUAGES,
    alphas,
    language_weights,
    parallel,
    partial,
    partial_corpus,
    ramps,
    same,
    steps,
)

GOLDEN = [("m", 0, 98, 37, 321, 464), ("m", 1, 212, 15, 106, 278), ("c", 1, 171, 16, 180, 241)]
FINGERPRINT = "081908d1cb9f8c8459f6a5bf025a0011eed3c4ee043ab3dbf753b8d4be3f560e"
LENGTH = RunLength(4)
MONO, CROSS = Single("monolingual", "mono"), Single("crosslingual", "cross")

MAKERS: dict[str, Callable[[float, LanguageWeights, AlphaSchedule | None], BatchPolicy]] = {
    "hybrid": lambda alpha, weights, schedule: Hybrid(alpha, weights=weights, schedule=schedule),
    "alpha 0": lambda _, weights, __: Hybrid(0.0, weights=weights),
    "alpha 1": lambda _, weights, __: Hybrid(1.0, weights=weights),
    "monolingual": lambda _, weights, __: Single("monolingual", "mono", weights=weights),
    "crosslingual": lambda _, weights, __: Single("crosslingual", "cross", weights=weights),
    "mixed": lambda _, weights, __: Single("mixed", "mixed", weights=weights),
    "english": lambda _, __, ___: Single("monolingual", "english", languages=("en",)),
}
ONLY = {"alpha 0": "crosslingual", "alpha 1": "monolingual", "english": "monolingual"}
schedules = st.none() | ramps | steps()


@pytest.mark.parametrize("name", MAKERS)
@given(corpus=partial_corpus(), alpha=alphas, weights=language_weights, schedule=schedules, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_every_batch_keeps_the_promises_of_its_kind(
    name: str, corpus: Coverage, alpha: float, weights: LanguageWeights, schedule: AlphaSchedule | None, seed: int
) -> None:
    policy = MAKERS[name](alpha, weights, schedule)
    plan = BatchPlan([corpus], policy, batch_size=6, seed=seed, length=LENGTH).epoch(seed % 4)
    batches = [plan[step] for step in range(len(plan))]
    assert len(batches) == len(plan) >= 1
    assert plan.batches_by_kind() == {kind: sum(batch.kind == kind for batch in batches) for kind in policy.kinds}
    for batch in batches:
        assert batch.kind in policy.kinds and batch.kind == ONLY.get(name, batch.kind)
        questions, passages = corpus.patterns[corpus.codes[batch.examples]].T
        assert len(set(batch.examples)) == len(batch) == 6
        assert (questions >> batch.question_languages.astype(np.uint64) & np.uint64(1)).all()
        assert (passages >> batch.passage_languages.astype(np.uint64) & np.uint64(1)).all()
        equal = batch.question_languages == batch.passage_languages
        assert not equal.any() if batch.kind == "crosslingual" else equal.all()
        if batch.kind == "monolingual":
            assert {LANGUAGES[code] for code in batch.question_languages} == {batch.language}
        assert policy.languages is None or batch.language in policy.languages
        for q, p in zip(batch.question_languages, batch.passage_languages, strict=True):
            assert (policy.weights.pairs or {}).get(LANGUAGES[q], {}).get(LANGUAGES[p], 1.0) > 0


hybrids = st.builds(Hybrid, alphas, weights=language_weights, schedule=schedules)
translated = st.builds(Translations, st.integers(0, 2), st.integers(0, 2))


@given(corpus=partial_corpus(), policy=hybrids, translations=translated, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_plan_is_pure_addressable_and_the_same_on_all_ranks(
    corpus: Coverage, policy: Hybrid, translations: Translations, seed: int, data: st.DataObject
) -> None:
    world = data.draw(st.sampled_from([1, 2, 3, 6]))
    first, second = (
        BatchPlan([corpus, parallel(50)], policy, 6, seed, length=LENGTH, translations=translations) for _ in range(2)
    )
    assert first.fingerprint() == second.fingerprint()
    backwards = [first.epoch(2)[step] for step in reversed(range(len(first)))][::-1]
    start = len(first) // 2
    ranks = [BatchPlanSampler(second, rank, world) for rank in range(world)]
    for sampler in ranks:
        sampler.epoch, sampler.start = 2, start  # a resumed run
        assert len(sampler) == len(first)
    slices = [list(sampler) for sampler in ranks]
    for rank, parts in enumerate(slices):
        assert all(same(ours, whole.slice(rank, world)) for ours, whole in zip(parts, backwards[start:], strict=True))
    for whole, *parts in zip(backwards[start:], *slices, strict=True):
        assert np.array_equal(np.concatenate([part.examples for part in parts]), whole.examples)


def test_a_stream_is_read_without_replacement_until_it_is_exhausted() -> None:
    plan = BatchPlan([parallel(40)], Single("crosslingual", "cross"), 6, seed=3, batches_per_epoch=20).epoch(0)
    passes = [np.concatenate([plan[s].examples for s in range(t, t + 6)]).tolist() for t in (0, 6, 12)]
    assert all(len(set(examples)) == 36 for examples in passes)  # 40 // 6 = 6 batches a pass
    assert len({frozenset(examples) for examples in passes}) > 1  # another order leaves out another remainder


@pytest.mark.parametrize("field", ["examples", "question_languages", "passage_languages", "passage_translations"])
def test_epochs_and_seeds_differ(field: str) -> None:
    def drawn(seed: int, epoch: int) -> list[int]:
        plan = BatchPlan([parallel(1000)], CROSS, 20, seed, translations=Translations(passages=1))
        return getattr(plan.epoch(epoch)[0], field).ravel().tolist()

    assert len({tuple(drawn(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_the_plan_of_this_version_is_what_it_was() -> None:
    """A plan that changes under the same inputs would break every checkpoint: raise `plan.VERSION` with it."""
    whole = BatchPlan([parallel(1000), parallel(300, "small")], Hybrid(0.5), 4, seed=7)
    plan = whole.epoch(2)
    rows = [(plan[step].kind[0], plan[step].corpus, *plan[step].examples.tolist()) for step in (0, 1, 200)]
    assert rows == GOLDEN
    assert whole.fingerprint() == FINGERPRINT


def planned(
    alpha: float = 0.5, size: int = 100, batch: int = 10, seed: int = 0, epochs: int = 3, **options: Any
) -> BatchPlan:
    translations, declared = options.pop("translations", Translations()), options.pop("declared", None)
    policy = Hybrid(alpha, **options)
    corpus = replace(parallel(size), declared=declared)
    return BatchPlan([corpus], policy, batch, seed, length=RunLength(epochs), translations=translations)


def weighted(*arguments: Any, **sides: Any) -> dict[str, LanguageWeights]:
    return {"weights": LanguageWeights(*arguments, **sides)}


HALF = Ramp(1.0, batches=9)
EQUAL: list[list[dict[str, Any]]] = [
    [
        *({}, {"epochs": 2}, {"epochs": -1}, {"schedule": Constant()}, {"schedule": Constant(batches=7)}),
        *(weighted({"de": 1}, pairs={"en": {"de": 1.0}}), weighted({}, {}, {}), weighted(pairs={"de": None})),
    ],
    [{"schedule": HALF, "epochs": 2}, {"schedule": HALF, "epochs": 3}],
    [weighted({"de": 2, "en": 3}), weighted({"en": 3.0, "de": 2.0})],
    [{"draw": "corpus_first", "declared": 7}, {"declared": 7.0}],
]
DIFFERENT: list[dict[str, Any]] = [
    *(group[0] for group in EQUAL),
    *({"alpha": 0.4}, {"size": 101}, {"batch": 5}, {"seed": 1}, {"languages": ("de", "en")}),
    *({"draw": "language_first"}, {"declared": 8.0}),
    *({"schedule": Ramp(1.0), "epochs": 2}, {"schedule": Ramp(1.0)}, {"schedule": Ramp(0.9)}),
    *({"schedule": Ramp(1.0, "cosine")}, {"schedule": Steps((1.0,), (0.5,))}),
    *(weighted(passage={"de": 2, "en": 3}), weighted(temperature=1.0)),
    *(weighted(pairs={"de": {"en": 2}}), weighted(pairs={"en": {"de": 2}})),
    *({"translations": Translations(*slots)} for slots in ((1,), (0, 1), (1, 0, "en"))),
]


def test_fingerprints_are_equal_exactly_if_the_plans_are() -> None:
    for group in EQUAL:
        plans = [planned(**options) for options in group]
        for first, second in combinations(plans, 2):
            assert first.fingerprint() == second.fingerprint()
            assert all(same(first.epoch(1)[step], second.epoch(1)[step]) for step in range(len(first)))
    assert len({planned(**options).fingerprint() for options in DIFFERENT}) == len(DIFFERENT)


@given(alpha=alphas, corpus=partial_corpus(), factor=st.sampled_from([1.0, 4.0]), epoch=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_constant_schedules_and_equal_weights_change_no_batch(
    alpha: float, corpus: Coverage, factor: float, epoch: int
) -> None:
    constant = (None, Constant(), Ramp(alpha), Ramp(alpha, "cosine"), Steps((alpha,), (0.5,)))
    policies = [Hybrid(alpha, schedule=schedule) for schedule in constant]
    policies.append(Hybrid(alpha, weights=LanguageWeights(dict.fromkeys(LANGUAGES, factor))))
    plain, *others = (
        BatchPlan([corpus, parallel(50)], policy, 6, 1, length=LENGTH).epoch(epoch) for policy in policies
    )
    for plan in others:
        assert all(same(plan[step], plain[step]) for step in range(len(plan)))


@given(corpus=partial_corpus(), policy=hybrids, epoch=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_of_one_corpus_both_draws_are_the_same_plan(corpus: Coverage, policy: Hybrid, epoch: int) -> None:
    """Also with a declared size."""
    first, *others = (
        BatchPlan([replace(corpus, declared=declared)], replace(policy, draw=draw), 6, 1, length=LENGTH).epoch(epoch)
        for draw, declared in (("corpus_first", None), ("language_first", None), ("language_first", 1e6))
    )
    for plan in others:
        assert all(same(plan[step], first[step]) for step in range(len(first)))


def test_a_language_too_small_for_a_batch_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """And a corpus without any of the languages has no part."""
    corpus = partial([[7, 7], [6, 6]], [0] * 5 + [1] * 20)
    other = Coverage("other", (), 40, np.array([[0, 0]], dtype=np.uint64))
    plan = BatchPlan([corpus, other], MONO, 10, seed=0, batches_per_epoch=50).epoch(0)
    assert {(plan[step].corpus, plan[step].language) for step in range(50)} == {(0, "de"), (0, "en")}
    assert "partial/monolingual/ar (5 examples)" in caplog.text


def refused(policy: BatchPolicy, corpus: Coverage | None = None, batch: int = 10, **options: Any) -> Callable[[], Any]:
    return lambda: BatchPlan([corpus or parallel(50)], policy, batch, 0, **options)


ENGLISH = parallel(60, "english", languages=("en",))
ASKED = Coverage("asked", LANGUAGES, 60, np.array([[7, 1]], dtype=np.uint64))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (refused(Hybrid(0.5), parallel(5)), r"batch of 10 cannot be filled .* parallel/monolingual/ar \(5 examples\)"),
        (refused(CROSS, ENGLISH), "no example of english has a crosslingual pair"),
        (refused(Single("mixed", "x", languages=("xx",))), "`sampler.languages` names xx; the corpora have ar, de, en"),
        (refused(Hybrid(0.5, draw="size")), "`sampler.draw` must be corpus_first or language_first, got 'size'"),
        (refused(MONO, batch=0), "must be positive, got 0"),
        (refused(Hybrid(0.5, schedule=Ramp(1.0))), "`sampler.schedule` needs an end, but training has none"),
        (lambda: BatchPlanSampler(planned(), 0, 3), "divisible by the number of processes, got 10 for 3 processes"),
        (lambda: Hybrid(-0.1), r"`sampler.alpha` must be in \[0, 1\], got -0.1"),
        (lambda: Hybrid(1.5), r"`sampler.alpha` must be in \[0, 1\], got 1.5"),
        (lambda: Single("mono", "x"), "`sampler.kind` must be monolingual or crosslingual or mixed, got 'mono'"),
        (lambda: Ramp(1.5), r"`sampler.schedule.start` must be in \[0, 1\], got 1.5"),
        (lambda: Ramp(0.5, "square"), "`sampler.schedule.shape` must be linear or cosine, got 'square'"),
        (lambda: Ramp(0.5, batches=0), "`sampler.schedule.batches` must be at least 1, got 0"),
        (lambda: Constant(batches=-1), "`sampler.schedule.batches` must be at least 1, got -1"),
        (lambda: Steps((0.5, -1), (0.2, 0.3)), r"`sampler.schedule.values` must be in \[0, 1\], got -1"),
        (lambda: Steps((0.5,), (0.2, 0.3)), r"same length, .*got values=\[0.5\] and until=\[0.2, 0.3\]"),
        (lambda: Steps((), ()), "same length, at least 1"),
        (lambda: Steps((0.5, 0.4), (0.5, 0.5)), "`until` must increase within"),
        (lambda: Steps((0.5,), (1.2,)), "`until` must increase within"),
        (lambda: LanguageWeights({"de": -1}), "`sampler.weights.question.de` must be a finite number of at least 0, "),
        (lambda: LanguageWeights(passage={"de": float("nan")}), "`sampler.weights.passage.de` must be .* got nan"),
        (lambda: LanguageWeights(pairs={"de": {"en": "a"}}), "`sampler.weights.pairs.de.en` must be .* got a"),  # type: ignore[dict-item]
        (lambda: LanguageWeights(2), "`sampler.weights.question` must map languages to weights, .* got 2"),  # type: ignore[arg-type]
        (lambda: LanguageWeights(pairs={"de": 2}), "`sampler.weights.pairs.de` must map languages"),  # type: ignore[dict-item]
        (lambda: LanguageWeights(temperature=0.0), "`sampler.weights.temperature` must be positive or null, got 0.0"),
        (refused(Hybrid(0.5, **weighted(pairs={"de": {"fr": 2}}))), "names fr; the languages in use are ar, de, en"),
        (refused(Single("mixed", "m", ("en",), **weighted({"de": 2}))), "names de; the languages in use are en"),
        (
            refused(Single("monolingual", "mono", **weighted(dict.fromkeys(LANGUAGES, 0)))),
            "no example of parallel has a monolingual pair with a weight above 0 in `sampler.weights`",
        ),
        (refused(MONO, ENGLISH, translations=Translations(0, 1)), "no example of english has its passage in two "),
        (
            refused(MONO, ENGLISH, translations=Translations(1)),
            "question in two languages in use; choose a",
        ),
        (refused(MONO, ENGLISH, translations=Translations(1, 0, "en")), "its question in en and another language"),
        (refused(MONO, translations=Translations(1, 0, "fr")), "its question in fr and another language"),
        (refused(MONO, ASKED, translations=Translations(1, 1)), "no example of asked has its passage in two languages"),
        (lambda: Translations(-1), "numbers of translations must be at least 0, got -1 of questions"),
    ],
)
def test_impossible_plans_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
