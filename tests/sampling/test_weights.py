"""Weights of languages and pairs: what is drawn how often, and what never."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import BatchPolicy, Hybrid, Single
from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.sampling.weights import LanguageWeights
from tests.sampling.coverages import LANGUAGES, parallel, partial_corpus
from tests.sampling.test_plan import same

_weight = st.sampled_from([0.0, 0.5, 1.0, 3.0])
_side = st.dictionaries(st.sampled_from(LANGUAGES), _weight.filter(bool)) | st.none()
_weights = st.builds(
    LanguageWeights,
    question=_side,
    passage=_side,
    pairs=st.dictionaries(st.sampled_from(["ar", "de"]), st.dictionaries(st.sampled_from(["en", "ar"]), _weight)),
    temperature=st.none() | st.sampled_from([1.0, 5.0]),
)


def pairs_of(corpora: list[Coverage], policy: BatchPolicy, batches: int, size: int = 60) -> Counter[tuple[str, str]]:
    """How often each pair of languages was drawn."""
    plan = BatchPlan(corpora, policy, size, seed=5, batches_per_epoch=batches).epoch(0)
    drawn = (plan[step] for step in range(batches))
    return Counter(
        (LANGUAGES[question], LANGUAGES[passage])
        for batch in drawn
        for question, passage in zip(batch.question_languages, batch.passage_languages, strict=True)
    )


def monolingual_batches(corpora: list[Coverage], policy: BatchPolicy) -> Counter[tuple[str, str]]:
    """How often each language was drawn for a monolingual batch."""
    plan = BatchPlan(corpora, policy, 10, seed=0, batches_per_epoch=3000)
    bits = [plan.mixture.streams[number].language for number in plan.epoch(0).stream_of_batch]
    return Counter((LANGUAGES[bit], LANGUAGES[bit]) for bit in bits)


def close(counts: Counter[tuple[str, str]], expected: dict[tuple[str, str], float]) -> None:
    """Chi-square of the counts against weights, below the 0.999 quantile of as many degrees of freedom."""
    assert set(counts) == {pair for pair, weight in expected.items() if weight}
    total, whole = sum(counts.values()), sum(expected.values())
    wanted = {pair: total * expected[pair] / whole for pair in counts}
    assert sum((counts[pair] - wanted[pair]) ** 2 / wanted[pair] for pair in counts) < chi2.ppf(0.999, len(counts) - 1)


def test_cross_lingual_pairs_follow_their_weights() -> None:
    weights = LanguageWeights({"de": 2}, {"ar": 0.5}, {"en": {"de": 3, "ar": 0}})
    counts = pairs_of([parallel(600)], Single("crosslingual", "cross", weights=weights), 100)
    expected = {("ar", "de"): 1, ("ar", "en"): 1, ("de", "ar"): 1, ("de", "en"): 2, ("en", "de"): 3}
    close(counts, expected)


def test_monolingual_languages_follow_their_weights() -> None:
    weights = LanguageWeights({"de": 2}, {"de": 2}, {"en": {"en": 0}})
    policy = Single("monolingual", "mono", weights=weights)
    counts = monolingual_batches([parallel(600)], policy)
    close(counts, {("ar", "ar"): 1, ("de", "de"): 4})


@pytest.mark.parametrize(("temperature", "power"), [(None, 0.0), (1.0, 1.0), (2.0, 0.5)])
def test_temperature_weighs_languages_by_the_size_of_their_data(temperature: float | None, power: float) -> None:
    patterns, codes = np.array([[7, 7], [4, 4]], dtype=np.uint64), np.array([0] * 100 + [1] * 800, dtype=np.uint8)
    corpus = Coverage("partial", LANGUAGES, 900, patterns, codes)
    policy = Single("monolingual", "mono", weights=LanguageWeights(temperature=temperature))
    counts = monolingual_batches([corpus], policy)
    close(counts, {("ar", "ar"): 1, ("de", "de"): 1, ("en", "en"): 9**power})


def test_a_corpus_without_any_of_the_languages_has_no_part() -> None:
    other = Coverage("other", (), 40, np.array([[0, 0]], dtype=np.uint64))
    policy = Hybrid(0.5, weights=LanguageWeights(temperature=2.0))
    plan = BatchPlan([parallel(100), other], policy, 10, seed=0).epoch(0)
    assert {plan[step].corpus for step in range(len(plan))} == {0}


def test_rows_choose_among_the_pairs_that_their_example_offers() -> None:
    """Half of the examples have German questions only: their rows follow the weights among the passages left."""
    patterns, codes = np.array([[2, 7], [7, 7]], dtype=np.uint64), np.array([0, 1] * 300, dtype=np.uint8)
    corpus = Coverage("partial", LANGUAGES, 600, patterns, codes)
    policy = Single("crosslingual", "cross", weights=LanguageWeights(passage={"en": 3}))
    plan = BatchPlan([corpus], policy, 60, seed=1, batches_per_epoch=200).epoch(0)
    batches = [plan[step] for step in range(200)]
    rows = np.concatenate([np.stack([batch.examples % 2, batch.question_languages, batch.passage_languages], axis=1)
                           for batch in batches])  # fmt: skip
    only = Counter((LANGUAGES[q], LANGUAGES[p]) for parity, q, p in rows.tolist() if parity == 0)
    close(only, {("de", "ar"): 1, ("de", "en"): 3})
    free = Counter((LANGUAGES[q], LANGUAGES[p]) for parity, q, p in rows.tolist() if parity == 1)
    close(free, {pair: 3 if pair[1] == "en" else 1 for pair in product(LANGUAGES, repeat=2) if pair[0] != pair[1]})


@given(corpus=partial_corpus(), weights=_weights, seed=st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_what_is_unavailable_or_weighs_nothing_is_never_drawn(
    corpus: Coverage, weights: LanguageWeights, seed: int
) -> None:
    faults = []
    for kind in ("monolingual", "crosslingual", "mixed"):
        try:
            plan = BatchPlan([corpus], Single(kind, kind, weights=weights), 6, seed).epoch(1)
        except ValueError as error:
            faults.append(str(error))
            continue
        for step in range(len(plan)):
            batch = plan[step]
            questions, passages = corpus.patterns[corpus.codes[batch.examples]].T
            assert len(set(batch.examples)) == len(batch) == 6
            assert (questions >> batch.question_languages.astype(np.uint64) & np.uint64(1)).all()
            assert (passages >> batch.passage_languages.astype(np.uint64) & np.uint64(1)).all()
            equal = batch.question_languages == batch.passage_languages
            assert not equal.any() if kind == "crosslingual" else equal.all()
            for q, p in zip(batch.question_languages, batch.passage_languages, strict=True):
                assert (weights.pairs or {}).get(LANGUAGES[q], {}).get(LANGUAGES[p], 1.0) > 0
    assert all("weighs more than 0" in fault or "cannot be filled" in fault for fault in faults)


@given(corpus=partial_corpus(), weights=_weights, world=st.sampled_from([1, 2, 3]))
@settings(max_examples=25, deadline=None)
def test_a_weighted_plan_is_pure_addressable_and_the_same_on_all_ranks(
    corpus: Coverage, weights: LanguageWeights, world: int
) -> None:
    plans = [BatchPlan([corpus, parallel(50)], Hybrid(0.5, weights=weights), 6, 3) for _ in range(2)]
    whole = [plans[0].epoch(2)[step] for step in reversed(range(len(plans[0])))][::-1]
    for rank in range(world):
        sampler = BatchPlanSampler(plans[1], rank, world)
        sampler.epoch, sampler.start = 2, 1  # a resumed run
        assert all(same(ours, batch.slice(rank, world)) for ours, batch in zip(sampler, whole[1:], strict=True))


@given(corpus=partial_corpus(), factor=st.sampled_from([1.0, 4.0]), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_equal_weights_give_the_plan_without_weights(corpus: Coverage, factor: float, seed: int) -> None:
    equal = LanguageWeights(dict.fromkeys(LANGUAGES, factor))
    plans = [
        BatchPlan([corpus], Hybrid(0.5, weights=weights), 6, seed).epoch(0) for weights in (LanguageWeights(), equal)
    ]
    assert all(same(plans[0][step], plans[1][step]) for step in range(len(plans[0])))


def test_weights_are_part_of_the_fingerprint_whatever_their_order() -> None:
    def fingerprint(weights: LanguageWeights) -> str:
        return BatchPlan([parallel(100)], Hybrid(0.5, weights=weights), 10, 0).fingerprint()

    one, other = {"de": 2, "en": 3}, {"en": 3.0, "de": 2.0}
    assert fingerprint(LanguageWeights(one)) == fingerprint(LanguageWeights(other))
    for none in (LanguageWeights({}, {}, {}), LanguageWeights(pairs={"de": None})):  # type: ignore[dict-item]
        assert fingerprint(LanguageWeights()) == fingerprint(none)
    different = [
        LanguageWeights(), LanguageWeights(one), LanguageWeights(passage=one), LanguageWeights(temperature=1.0),
        LanguageWeights(pairs={"de": {"en": 2}}), LanguageWeights(pairs={"en": {"de": 2}}),
    ]  # fmt: skip
    assert len(set(map(fingerprint, different))) == len(different)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"question": {"de": -1}}, "sampler.weights.question.de is -1; a weight is a finite number from 0 up"),
        ({"passage": {"de": float("nan")}}, "sampler.weights.passage.de is nan"),
        ({"pairs": {"de": {"en": "much"}}}, "sampler.weights.pairs.de.en is much"),
        ({"question": 2}, "sampler.weights.question is 2; it maps languages"),
        ({"pairs": {"de": 2}}, "sampler.weights.pairs.de is 2; it maps languages"),
        ({"temperature": 0.0}, "sampler.weights.temperature is 0.0; it must be positive, or null"),
    ],
)
def test_weights_without_sense_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LanguageWeights(**arguments)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Hybrid(0.5, weights=LanguageWeights(pairs={"de": {"fr": 2}})), "names fr; .* drawn from are ar, de, en"),
        (Single("mixed", "m", languages=("en",), weights=LanguageWeights({"de": 2})), "names de; .* drawn from are en"),
        (
            Single("monolingual", "mono", weights=LanguageWeights(dict.fromkeys(LANGUAGES, 0))),
            "no example of parallel has a monolingual pair that weighs more than 0 in sampler.weights",
        ),
    ],
)
def test_weights_that_do_not_fit_the_corpora_are_refused(policy: BatchPolicy, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BatchPlan([parallel(50)], policy, 10, 0)
