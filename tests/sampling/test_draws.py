"""Frequencies of the plan: kinds, corpora, languages and pairs are drawn as often as alpha, sizes and weights say."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from benchmarks.paper_shares import TABLE_9, coverages
from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import DRAWS, BatchPolicy, Hybrid, Single
from hybrid_ir.sampling.schedule import AlphaSchedule, Ramp, RunLength, Steps
from hybrid_ir.sampling.streams import Stream
from hybrid_ir.sampling.translations import Translations
from hybrid_ir.sampling.weights import LanguageWeights
from tests.sampling.coverages import LANGUAGES, parallel, partial, partial_corpus

DISTINCT = [(q, p) for q, p in product(LANGUAGES, repeat=2) if q != p]


def close(counts: Counter[Any], expected: Mapping[Any, float]) -> None:
    """Chi-square of the counts against weights, below the 0.999 quantile of as many degrees of freedom."""
    assert set(counts) == {key for key, weight in expected.items() if weight}
    total, whole = sum(counts.values()), sum(expected.values())
    wanted = {key: total * expected[key] / whole for key in counts}
    if len(counts) > 1:
        assert sum((counts[key] - wanted[key]) ** 2 / wanted[key] for key in counts) < chi2.ppf(0.999, len(counts) - 1)


def facts(stream: Stream) -> tuple[int, str, str]:
    """Corpus, kind and language of a stream."""
    return stream.corpus, stream.kind[:4], "" if stream.language is None else LANGUAGES[stream.language]


LARGE, ENGLISH = parallel(900, "large"), parallel(600, "squad", languages=("en",))
UNEVEN = partial([[7, 7], [4, 4]], [0] * 100 + [1] * 800)


@pytest.mark.parametrize(
    ("corpora", "policy", "temperature", "of", "expected"),
    [
        *(
            ([parallel(600)], Hybrid(alpha), 1.0, lambda f: f[1], {"mono": alpha, "cros": 1 - alpha})
            for alpha in (0.0, 0.3, 1.0)
        ),
        *(
            ([LARGE, parallel(100)], Hybrid(0.5), temperature, lambda f: f[0], {0: large, 1: 1 - large})
            for temperature, large in ((1.0, 0.9), (2.0, 0.75), (1e-3, 1.0))  # powers too large for a float
        ),
        (
            [parallel(600), ENGLISH], Hybrid(0.5), 1.0, lambda f: f[:2],
            {(0, "mono"): 0.25, (1, "mono"): 0.25, (0, "cros"): 0.5},
        ),
        *(
            ([corpus], Single("monolingual", "mono", weights=weights), 1.0, lambda f: f[2], expected)
            for corpus, weights, expected in (
                (parallel(600), LanguageWeights(), {"ar": 1, "de": 1, "en": 1}),
                (parallel(600), LanguageWeights({"de": 2}, {"de": 2}, {"en": {"en": 0}}), {"ar": 1, "de": 4}),
                (UNEVEN, LanguageWeights(), {"ar": 1, "de": 1, "en": 1}),
                (UNEVEN, LanguageWeights(temperature=1.0), {"ar": 1, "de": 1, "en": 9}),
                (UNEVEN, LanguageWeights(temperature=2.0), {"ar": 1, "de": 1, "en": 3}),
            )
        ),
    ],
)  # fmt: skip
def test_streams_are_drawn_by_alpha_sizes_and_weights(
    corpora: list[Coverage], policy: BatchPolicy, temperature: float, of: Callable[[Any], Any], expected: dict
) -> None:
    """A corpus that has English alone yields only monolingual batches, and leaves alpha as it is."""
    plan = BatchPlan(corpora, policy, 10, seed=0, batches_per_epoch=3000, temperature=temperature)
    close(Counter(of(facts(plan.mixture.streams[number])) for number in plan.epoch(0).stream_of_batch), expected)


def test_a_number_on_a_boundary_draws_what_is_above_it() -> None:
    """Nothing of probability 0 is ever drawn, with shares that are constant or not."""
    corpus = parallel(100, languages=("de", "en"))
    mixture = BatchPlan([corpus], Hybrid(0.5), 10, seed=0).mixture
    points = np.array([0.0, 0.25, 0.5, 0.0])
    for shares, labels in (
        ((0.5, 0.5), ["de", "en", "cross"]),
        ((0.0, 1.0), ["cross"] * 3),
        ((1.0, 0.0), ["de", "de", "en"]),
    ):
        constant = np.tile(shares, (4, 1))
        changing = constant.copy()
        changing[-1] = shares[::-1]
        for drawn in (mixture.draw(constant, points), mixture.draw(changing, points)):
            streams = [mixture.streams[number] for number in drawn[: len(labels)]]
            assert [s.kind[:5] if s.language is None else corpus.languages[s.language] for s in streams] == labels
    policy = Single("crosslingual", "cross", weights=LanguageWeights(passage={"en": 3}))
    (stream,) = BatchPlan([corpus], policy, 10, seed=0).mixture.streams
    numbers: Any = SimpleNamespace(random=lambda _: np.array([0.0, np.nextafter(0.75, 0), 0.75]))
    assert stream.rows(np.arange(3), numbers)[1].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("draw", "english", "arabic", "thai"),
    [("language_first", 1 / 9, 1 / 9, 1 / 9), ("corpus_first", 0.2123, 0.1309, 0.0013)],
)
def test_the_languages_of_the_papers_data(draw: str, english: float, arabic: float, thai: float) -> None:
    """Realised shares are within 4 standard deviations of the expected ones, and these are what Table 9 gives."""
    plan = BatchPlan(coverages(), Hybrid(0.5, draw=draw), 100, 0, batches_per_epoch=50_000)
    expected, streams = plan.shares(), plan.mixture.streams
    realised = np.bincount(plan.epoch(0).stream_of_batch, minlength=len(streams)) / len(plan)
    assert expected.sum() == pytest.approx(1)
    assert (abs(realised - expected) <= 4 * np.sqrt(expected * (1 - expected) / len(plan)) + 1 / len(plan)).all()
    share = {code: 2 * sum(expected[[s.code == code for s in streams]]) for code in ("en", "ar", "th", "tr")}
    assert share == pytest.approx({"en": english, "ar": arabic, "th": thai, "tr": thai}, abs=1e-4)
    crosslingual = {stream.corpus: 2 * expected[at] for at, stream in enumerate(streams) if stream.code is None}
    assert crosslingual[0] == pytest.approx(0.9871, abs=1e-4) and len(crosslingual) == len(TABLE_9) - 2


def formula(corpora: list[Coverage], draw: str, weights: LanguageWeights, power: float) -> dict[tuple[int, str], float]:
    """Probability of corpus and language of a monolingual batch of 6, as docs/sampling.md states it."""
    has = {(n, code): (one.patterns[:, 0] & one.patterns[:, 1])[one.codes] >> np.uint64(bit) & np.uint64(1)
           for n, one in enumerate(corpora) for bit, code in enumerate(LANGUAGES)}  # fmt: skip
    has = {key: examples for key, examples in has.items() if examples.sum() >= 6}

    def size(n: int, codes: list[str]) -> float:
        examples = int(np.any([has[n, code] for code in codes], axis=0).sum())
        declared = corpora[n].declared
        return examples if declared is None else declared * examples / corpora[n].size

    def weight(n: list[int], code: str) -> float:
        data = sum(size(one, [code]) for one in n) ** (1 / weights.temperature) if weights.temperature else 1
        return (weights.question or {}).get(code, 1) * data

    found = {}
    for number, code in has:
        if draw == "corpus_first":
            spoken = {n: [c for m, c in has if m == n] for n, _ in has}
            corpus = size(number, spoken[number]) ** power / sum(size(n, codes) ** power for n, codes in spoken.items())
            language = weight([number], code) / sum(weight([number], other) for other in spoken[number])
        else:
            speakers = {c: [n for n, d in has if d == c] for _, c in has}
            language = weight(speakers[code], code) / sum(weight(ns, other) for other, ns in speakers.items())
            corpus = size(number, [code]) ** power / sum(size(n, [code]) ** power for n in speakers[code])
        found[number, code] = corpus * language
    return found


@given(
    corpora=st.lists(partial_corpus(), min_size=1, max_size=4),
    declared=st.lists(st.none() | st.floats(0.5, 1e9), min_size=4, max_size=4),
    draw=st.sampled_from(DRAWS),
    weights=st.builds(
        LanguageWeights, question=st.none() | st.just({"de": 3.0, "ar": 0.5}), temperature=st.none() | st.just(2.0)
    ),
    temperature=st.sampled_from([1.0, 3.0]),
)
@settings(max_examples=60, deadline=None)
def test_shares_are_those_of_the_formula(
    corpora: list[Coverage], declared: list[float], draw: str, weights: LanguageWeights, temperature: float
) -> None:
    corpora = [replace(one, declared=size) for one, size in zip(corpora, declared, strict=False)]
    plan = BatchPlan(corpora, Hybrid(0.25, draw=draw, weights=weights), 6, 0, temperature)
    shares = dict(zip([(s.corpus, s.code) for s in plan.mixture.streams], plan.shares().tolist(), strict=True))
    monolingual = {key: share for key, share in shares.items() if key[1] is not None}
    expected = formula(corpora, draw, weights, 1 / temperature)
    assert monolingual == pytest.approx({key: 0.25 * share for key, share in expected.items()})
    assert sum(shares.values()) == pytest.approx(1)


def test_shares_of_a_schedule_are_those_of_the_whole_run() -> None:
    """Alpha is .8 for a quarter of 4 epochs, then .2."""
    policy = Hybrid(0.2, schedule=Steps((0.8,), (0.25,)))
    plan = BatchPlan([parallel(100)], policy, 6, 0, batches_per_epoch=1000, length=RunLength(4))
    assert plan.shares()[-1] == pytest.approx(1 - (0.8 + 3 * 0.2) / 4, abs=1e-3)


@pytest.mark.parametrize("schedule", [Ramp(1.0), Ramp(0.9, "cosine"), Steps((0.8, 0.2), (0.3, 0.7))], ids=repr)
@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_the_share_follows_the_schedule(schedule: AlphaSchedule, alpha: float) -> None:
    """In windows of 500 batches over two epochs: the sum of Bernoulli draws, within 4 standard deviations."""
    policy = Hybrid(alpha, schedule=schedule)
    plan = BatchPlan([parallel(100)], policy, 6, 0, batches_per_epoch=2500, length=RunLength(2))
    drawn, expected = [], []
    for epoch in range(2):
        numbers = plan.epoch(epoch).stream_of_batch
        drawn += [plan.mixture.streams[number].kind == "monolingual" for number in numbers]
        expected += schedule(plan.progress(epoch), alpha).tolist()
    for window in np.split(np.asarray([drawn, expected], dtype=float), 10, axis=1):
        spread = np.sqrt((window[1] * (1 - window[1])).sum())
        assert abs(window[0].sum() - window[1].sum()) <= 4 * spread + 1e-9


def test_a_batch_is_certain_where_the_schedule_is_0_or_1() -> None:
    def kinds(schedule: AlphaSchedule, alpha: float) -> list[set[str]]:
        policy = Hybrid(alpha, schedule=schedule)
        plan = BatchPlan([parallel(100)], policy, 6, 0, batches_per_epoch=30, length=RunLength(4))
        return [{plan.epoch(epoch)[step].kind for step in range(30)} for epoch in range(4)]

    mono, cross = {"monolingual"}, {"crosslingual"}
    assert kinds(Steps((1.0, 0.0), (0.25, 0.75)), 1.0) == [mono, cross, cross, mono]
    assert kinds(Ramp(0.0), 0.0) == [cross] * 4 and kinds(Steps((1.0,), (0.5,)), 1.0) == [mono] * 4


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (LanguageWeights(), dict.fromkeys(DISTINCT, 1)),
        (
            LanguageWeights({"de": 2}, {"ar": 0.5}, {"en": {"de": 3, "ar": 0}}),
            {("ar", "de"): 1, ("ar", "en"): 1, ("de", "ar"): 1, ("de", "en"): 2, ("en", "de"): 3},
        ),
    ],
)
def test_crosslingual_pairs_follow_their_weights(weights: LanguageWeights, expected: dict) -> None:
    plan = BatchPlan([parallel(600)], Single("crosslingual", "cross", weights=weights), 60, 5, batches_per_epoch=100)
    batches = [plan.epoch(0)[step] for step in range(100)]
    close(Counter(pair for batch in batches for pair in pairs_in(batch)), expected)


def pairs_in(batch: Any) -> list[tuple[str, str]]:
    languages = zip(batch.question_languages, batch.passage_languages, strict=True)
    return [(LANGUAGES[question], LANGUAGES[passage]) for question, passage in languages]


def test_rows_choose_among_the_pairs_that_their_example_offers() -> None:
    """Half of the examples have German questions only: their rows follow the weights among the passages left."""
    policy = Single("crosslingual", "cross", weights=LanguageWeights(passage={"en": 3}))
    plan = BatchPlan([partial([[2, 7], [7, 7]], [0, 1] * 300)], policy, 60, seed=1, batches_per_epoch=200).epoch(0)
    drawn: tuple[Counter, Counter] = (Counter(), Counter())
    for batch in (plan[step] for step in range(200)):
        for example, pair in zip(batch.examples, pairs_in(batch), strict=True):
            drawn[example % 2][pair] += 1
    close(drawn[0], {("de", "ar"): 1, ("de", "en"): 3})
    close(drawn[1], {(q, p): 3 if p == "en" else 1 for q, p in DISTINCT})


def test_languages_of_translations_are_drawn_uniformly() -> None:
    plan = BatchPlan([parallel(600)], Single("crosslingual", "cross"), 60, 0, translations=Translations(passages=1))
    drawn = Counter(
        (LANGUAGES[language], LANGUAGES[other])
        for epoch in range(10)
        for batch in (plan.epoch(epoch)[step] for step in range(len(plan)))
        for language, (other,) in zip(batch.passage_languages, batch.passage_translations, strict=True)
    )
    close(drawn, dict.fromkeys(DISTINCT, 1))
