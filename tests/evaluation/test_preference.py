"""Which translation of the answer comes first: by hand, by trec_eval's graded nDCG, and at the ends of the scale."""

import logging

import numpy as np
import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate, parse_measures
from hybrid_ir.evaluation.measures.measures import Measure, RankLists
from hybrid_ir.evaluation.measures.metric import RetrievalMeasure
from hybrid_ir.evaluation.results.result import Result
from tests.evaluation.samples import LANGUAGES, HashEncoder, PlantedEncoder, parallel_benchmark

MEASURES = ("language_preference_rate", "language_preference_excess", "lang_ndcg", "lang_ndcg@1", "lang_ndcg@6")
NAMES = {"monolingual": ["map"], "crosslingual": ["map"], "multilingual": [*MEASURES]}


def values(name: str, *queries: dict[int, bool]) -> np.ndarray:
    """Values of queries given as rank -> whether the passage is in the query's language."""
    ranks = [rank for query in queries for rank in sorted(query)]
    own = [query[rank] for query in queries for rank in sorted(query)]
    offsets = np.cumsum([0, *map(len, queries)])
    return Measure.parse(name)(RankLists(offsets, np.array(ranks), np.array(own)))


def test_values_by_hand() -> None:
    queries = {2: True, 7: False, 9: False}, {1: False, 3: True}, {4: True}, {4: False, 5: False}
    np.testing.assert_equal(values("language_preference_rate", *queries), [1, 0, np.nan, np.nan])
    np.testing.assert_equal(values("language_preference_excess", *queries), [1 - 1 / 3, 0 - 1 / 2, np.nan, np.nan])
    second, third, fourth = (1 / np.log2(rank + 1) for rank in (2, 3, 4))
    expected = [2 * second / (2 + second + third), (1 + 2 * third) / (2 + second), fourth, fourth / (1 + second)]
    np.testing.assert_allclose(values("lang_ndcg@4", *queries), expected, rtol=1e-15)
    np.testing.assert_allclose(values("lang_ndcg@1", *queries), [0, 1 / 2, 0, 0])


def test_lang_ndcg_is_that_of_trec_eval_with_grades() -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    benchmark = parallel_benchmark(40)
    result = evaluate(HashEncoder(), benchmark, NAMES, keep=len(benchmark.passages))
    top = result.top["multilingual"]
    qrels = {
        f"{lang}:q{i}": {f"{pool}:p{i}": 1 + (pool == lang) for pool in LANGUAGES}
        for lang in LANGUAGES
        for i in range(40)
    }
    run = {
        query: {passage.decode(): float(-rank) for rank, passage in enumerate(passages)}
        for query, passages in zip(top.queries, top.passages, strict=True)
    }
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg", "ndcg_cut.6"}).evaluate(run)
    for entry in result.settings:
        for name, other in {"lang_ndcg": "ndcg", "lang_ndcg@6": "ndcg_cut_6"}.items():
            if entry.setting.kind == "multilingual":
                expected = [theirs[query][other] for query in entry.queries]
                np.testing.assert_allclose(entry.values[Measure.parse(name)], expected, rtol=0, atol=1e-12)


def planted(content: float, language: float) -> Result:
    encoder = PlantedEncoder(LANGUAGES, 10, content=content, language=language)
    return evaluate(encoder, parallel_benchmark(10), NAMES)


def test_language_free_vectors_are_neutral() -> None:
    """All translations of an answer tie, so in the mean over languages each place is the own language's as often."""
    macro = planted(content=1.0, language=0.0).macro
    assert macro["toy/language_preference_rate"] == pytest.approx(1 / 3)
    assert macro["toy/language_preference_excess"] == pytest.approx(0, abs=1e-15)
    discounts = 1 / np.log2(np.arange(2, 5))
    neutral = (discounts.sum() + discounts.mean()) / (discounts.sum() + discounts[0])
    assert macro["toy/lang_ndcg@6"] == pytest.approx(neutral)
    assert macro["toy/lang_ndcg@1"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)


@pytest.mark.parametrize("content", [0.0, 0.1])
def test_language_before_content_is_the_extreme(content: float) -> None:
    macro = planted(content, language=1.0).macro
    assert macro["toy/language_preference_rate"] == 1.0
    assert macro["toy/language_preference_excess"] == pytest.approx(1 - 1 / 3)
    if content:  # the own answer is first, and the others come after the passages of its language
        assert macro["toy/lang_ndcg@1"] == 1.0
        assert macro["toy/lang_ndcg@6"] == pytest.approx(2 / (2 + 1 / np.log2(3) + 1 / np.log2(4)))


def test_content_with_a_touch_of_language_is_the_best_ranking() -> None:
    macro = planted(content=1.0, language=0.1).macro
    assert macro["toy/lang_ndcg"] == pytest.approx(1) and macro["toy/language_preference_rate"] == 1.0


def test_they_need_passages_to_compare_and_languages(caplog: pytest.LogCaptureFixture) -> None:
    alone = Benchmark.build(
        "alone",
        {"de": {"q": "q"}, "en": {"r": "r"}},
        {"de": {"p": "p"}, "en": {"s": "s"}},
        {"q": ["p"], "r": ["p"]},
        settings=("multilingual",),
    )
    with caplog.at_level(logging.WARNING):
        parsed = parse_measures({"multilingual": ["language_preference_rate", "lang_ndcg@10"]}, alone)
    assert [measure.name for measure in parsed["multilingual"]] == ["lang_ndcg@10"]
    assert "language_preference_rate is not measured on alone: no query has relevant passages both" in caplog.text
    with pytest.raises(ValueError, match="lang_ndcg@10 compares languages: it is defined in the multilingual setting"):
        parse_measures(NAMES | {"monolingual": ["lang_ndcg@10"]}, parallel_benchmark())
    with pytest.raises(ValueError, match="lang_ndcg@10 needs the languages of passages"):
        RetrievalMeasure("lang_ndcg@10")
