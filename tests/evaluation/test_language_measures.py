"""Measures of language bias: planted vectors give the extremes, and distances of lists are those of the definition."""

import itertools
import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import PAPER_MEASURES, evaluate, parse_measures
from hybrid_ir.evaluation.measures.definitions.language_bias import kendall_distance
from tests.evaluation.samples import LANGUAGES, HashEncoder, PlantedEncoder, parallel_benchmark

BIAS = {
    **PAPER_MEASURES,
    "multilingual": [
        "map", "rank_distance", "language_preference_rate", "language_preference_excess", "lang_ndcg", "lang_ndcg@1",
        "lang_ndcg@6", "language_share@6", "own_language_advantage@6", "rank_correlation@6",
    ],
}  # fmt: skip
DISCOUNTS = 1 / np.log2(np.arange(2, 5))


@pytest.mark.parametrize(
    ("content", "language", "expected"),
    [
        # All translations of an answer tie, so in the mean over languages each rank is the own language's as often.
        (1.0, 0.0, {
            "map": 1, "rank_distance": 2, "language_preference_rate": 1 / 3, "language_preference_excess": 0,
            "lang_ndcg@1": (1 + 1 / 2 + 1 / 2) / 3,
            "lang_ndcg@6": (DISCOUNTS.sum() + DISCOUNTS.mean()) / (DISCOUNTS.sum() + DISCOUNTS[0]),
            "own_language_advantage@6": 0, "rank_correlation@6": 1,
        }),
        # The answer in the query's language first, then its nine other passages, then answers in other languages.
        (0.1, 1.0, {
            "map": (1 + 2 / 11 + 3 / 12) / 3, "rank_distance": 11, "language_preference_rate": 1,
            "language_preference_excess": 1 - 1 / 3, "lang_ndcg@1": 1, "lang_ndcg@6": 2 / (1 + DISCOUNTS.sum()),
            "own_language_advantage@6": 1, "rank_correlation@6": -1,
        }),
        # All passages of a language tie: their pools follow each other.
        (0.0, 1.0, {
            "rank_distance": 20, "language_preference_rate": 1, "language_preference_excess": 1 - 1 / 3,
            "own_language_advantage@6": 1, "rank_correlation@6": -1,
        }),
        (1.0, 0.1, {"lang_ndcg": 1, "language_preference_rate": 1, "rank_distance": 2}),
    ],
)  # fmt: skip
def test_planted_vectors(content: float, language: float, expected: dict[str, float]) -> None:
    """Vectors that know the content, the language, or one before the other."""
    encoder = PlantedEncoder(LANGUAGES, 10, content=content, language=language)
    result = evaluate(encoder, parallel_benchmark(10), BIAS)
    found = {name.rpartition("/")[2]: value for name, value in result.macro.items() if name.count("/") == 1}
    found["map"] = result.macro["toy/multilingual/map"]
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-15)
    if content == 0.0 or language == 1.0:
        for asked, shown in itertools.product(LANGUAGES, LANGUAGES):
            assert result.metrics[f"toy/language_share_{shown}@6/{asked}"] == (asked == shown)


def test_a_language_that_attracts_every_query_has_a_share_and_no_advantage() -> None:
    class EnglishFirst(PlantedEncoder):
        def encode(self, texts, kind):  # type: ignore[no-untyped-def]
            vectors = super().encode(texts, kind)
            vectors[:, :3] = 0
            vectors[:, 1] = 5.0 if kind == "query" else vectors.new_tensor([" en " in text for text in texts])
            return vectors

    result = evaluate(EnglishFirst(LANGUAGES, 10, content=1.0, language=0.0), parallel_benchmark(10), BIAS)
    assert result.macro["toy/language_share_en@6"] == 1.0
    assert result.macro["toy/own_language_advantage@6"] == 0.0
    assert result.macro["toy/rank_correlation@6"] == 1.0


def naive_distance(first: list[int], second: list[int]) -> float:
    """Fagin, Kumar and Sivakumar's K^(1/2), case by case."""
    total = 0.0
    for i, j in itertools.combinations(sorted({*first, *second}), 2):
        in_first, in_second = (i in first, j in first), (i in second, j in second)
        if all(in_first) and all(in_second):
            total += (first.index(i) < first.index(j)) != (second.index(i) < second.index(j))
        elif all(in_first) or all(in_second):
            both, other = (first, in_second) if all(in_first) else (second, in_first)
            if not any(other):
                total += 0.5
            else:
                ahead = i if both.index(i) < both.index(j) else j
                total += (i if other[0] else j) != ahead
        else:
            total += 1
    return total


@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_distance_is_that_of_the_definition(k: int, random) -> None:  # type: ignore[no-untyped-def]
    first, second = random.sample(range(9), k), random.sample(range(9), k)
    (found,) = kendall_distance(np.array([first]), np.array([second]))
    assert found == pytest.approx(naive_distance(first, second) / naive_distance([*range(k)], [*range(k, 2 * k)]))


def test_values_of_a_query_are_means_over_its_translations() -> None:
    result = evaluate(HashEncoder(), parallel_benchmark(4), PAPER_MEASURES | {"multilingual": ["rank_correlation@3"]})
    lists = evaluate(HashEncoder(), parallel_benchmark(4), keep=3).top["multilingual"].passages.tolist()
    values = {
        query: value
        for entry in result.settings
        if entry.setting.kind == "multilingual"
        for query, value in zip(entry.queries, *entry.values.values(), strict=True)
    }
    ids = parallel_benchmark(4).queries.ids
    worst = naive_distance([0, 1, 2], [3, 4, 5])
    for query, value in values.items():
        row = ids.index(query)
        others = [i for i, key in enumerate(ids) if key.endswith(query[3:]) and i != row]
        mine = lists[row]
        assert value == pytest.approx(np.mean([1 - 2 * naive_distance(mine, lists[i]) / worst for i in others]))


def test_queries_without_a_translation_have_no_value() -> None:
    partly = Benchmark.build(
        "partly",
        queries={"de": {"de:1": "a", "de:2": "b"}, "en": {"en:1": "c"}, "tr": {"tr:3": "d"}},
        passages={lang: {f"{lang}:p": "p", f"{lang}:q": "q"} for lang in ("de", "en", "tr")},
        qrels={"de:1": ["de:p", "en:p"], "de:2": ["de:p"], "en:1": ["en:p"], "tr:3": ["tr:p"]},
        settings=("multilingual",),
        query_groups={"de:1": "1", "de:2": "2", "en:1": "1", "tr:3": "3"},
    )
    result = evaluate(HashEncoder(), partly, {"multilingual": ["map", "rank_correlation@2"]})
    queries = {row.name: row.queries for row in result.rows}
    assert queries["partly/rank_correlation@2/de"] == 1 and queries["partly/multilingual/map/de"] == 2
    assert "partly/rank_correlation@2/tr" not in queries
    assert all(np.isfinite(value) for value in result.metrics.values())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("own_language_advantage@10", "no query has a translation"),
        ("language_preference_rate", "no query has relevant passages both in its own and in another language"),
    ],
)
def test_measures_with_nothing_to_compare_are_left_out(name: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    sides = {"de": {"q": "q"}, "en": {"r": "r"}}, {"de": {"p": "p"}, "en": {"s": "s"}}
    benchmark = Benchmark.build("alone", *sides, {"q": ["p"], "r": ["p"]}, settings=("multilingual",))
    with caplog.at_level(logging.WARNING):
        parsed = parse_measures({"multilingual": ["lang_ndcg@10", name]}, benchmark)
    assert [measure.name for measure in parsed["multilingual"]] == ["lang_ndcg@10"]
    assert f"{name} is not measured on alone: {why}" in caplog.text
