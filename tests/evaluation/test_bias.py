"""Language bias: planted vectors give the extremes, and distances of lists are those of the definition."""

import itertools
import logging
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate, parse_measures
from hybrid_ir.evaluation.measures.definitions.listed_languages import kendall_distance
from hybrid_ir.evaluation.results.result import Result
from tests.evaluation.samples import LANGUAGES, HashEncoder, PlantedEncoder, parallel_benchmark

BIAS = {
    "monolingual": ["map"],
    "crosslingual": ["map"],
    "multilingual": ["language_share@6", "own_language_advantage@6", "rank_correlation@6"],
}


def planted(content: float, language: float, questions: int = 10) -> Result:
    encoder = PlantedEncoder(LANGUAGES, questions, content=content, language=language)
    return evaluate(encoder, parallel_benchmark(questions), BIAS)


def test_language_free_vectors_have_no_bias() -> None:
    result = planted(content=1.0, language=0.0)
    assert result.macro["toy/own_language_advantage@6"] == 0.0
    assert result.macro["toy/rank_correlation@6"] == 1.0
    for entry in result.settings:
        for measure, values in entry.values.items():
            if measure.kind == "own_language_advantage":
                assert (values == 0).all()


@pytest.mark.parametrize("content", [0.0, 0.1])
def test_language_before_content_is_the_extreme(content: float) -> None:
    result = planted(content, language=1.0)
    assert result.macro["toy/own_language_advantage@6"] == 1.0
    assert result.macro["toy/rank_correlation@6"] == -1.0
    shares = {
        (asked, shown): result.metrics[f"toy/language_share_{shown}@6/{asked}"]
        for asked in LANGUAGES
        for shown in LANGUAGES
    }
    assert shares == {pair: float(pair[0] == pair[1]) for pair in shares}


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


def test_shares_add_up_to_one() -> None:
    result = evaluate(HashEncoder(), parallel_benchmark(20), BIAS)
    for asked in LANGUAGES:
        assert sum(result.metrics[f"toy/language_share_{shown}@6/{asked}"] for shown in LANGUAGES) == pytest.approx(1)


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
    result = evaluate(HashEncoder(), parallel_benchmark(4), BIAS | {"multilingual": ["rank_correlation@3"]})
    kept = evaluate(HashEncoder(), parallel_benchmark(4), BIAS, keep=3).top["multilingual"].passages
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
        mine = kept[row].tolist()
        assert value == pytest.approx(np.mean([1 - 2 * naive_distance(mine, kept[i].tolist()) / worst for i in others]))


def partly_translated() -> Benchmark:
    return Benchmark.build(
        "partly",
        queries={"de": {"de:1": "a", "de:2": "b"}, "en": {"en:1": "c"}, "tr": {"tr:3": "d"}},
        passages={lang: {f"{lang}:p": "p", f"{lang}:q": "q"} for lang in ("de", "en", "tr")},
        qrels={"de:1": ["de:p", "en:p"], "de:2": ["de:p"], "en:1": ["en:p"], "tr:3": ["tr:p"]},
        settings=("multilingual",),
        query_groups={"de:1": "1", "de:2": "2", "en:1": "1", "tr:3": "3"},
    )


def test_queries_without_a_translation_have_no_value() -> None:
    result = evaluate(HashEncoder(), partly_translated(), {"multilingual": ["map", "rank_correlation@2"]})
    queries = {row.name: row.queries for row in result.rows}
    assert queries["partly/rank_correlation@2/de"] == 1 and queries["partly/multilingual/map/de"] == 2
    assert "partly/rank_correlation@2/tr" not in queries
    assert all(np.isfinite(value) for value in result.metrics.values())


def test_benchmarks_without_translations_are_told_so(caplog: pytest.LogCaptureFixture) -> None:
    benchmark = Benchmark.build(
        "alone", {"en": {"q": "q"}}, {"en": {"p": "p"}}, {"q": ["p"]}, settings=("multilingual",)
    )
    with caplog.at_level(logging.WARNING):
        parsed = parse_measures({"multilingual": ["map", "own_language_advantage@10"]}, benchmark)
    assert [measure.name for measure in parsed["multilingual"]] == ["map"]
    assert "own_language_advantage@10 is not measured on alone: no query has a translation" in caplog.text


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        ({"multilingual": ["language_share_xx@10"]}, "benchmark toy has no xx, only de, en, tr"),
        ({"multilingual": ["rank_correlation"]}, "needs a cut-off, such as rank_correlation@10"),
        ({"monolingual": ["rank_correlation@10"]}, "defined in the multilingual setting alone"),
    ],
)
def test_bad_requests(measures: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_measures(BIAS | measures, parallel_benchmark())


def test_a_pool_smaller_than_the_list_is_the_whole_list() -> None:
    benchmark = parallel_benchmark(questions=2)
    assert len(benchmark.passages) < 10
    measures = {"multilingual": ["language_share@10", "own_language_advantage@10", "rank_correlation@10"]}
    macro = evaluate(HashEncoder(), benchmark, {"monolingual": ["map"], "crosslingual": ["map"], **measures}).macro
    shares = [value for name, value in macro.items() if "language_share" in name]
    assert sum(shares) == pytest.approx(1.0)
    assert macro["toy/own_language_advantage@10"] == pytest.approx(0.0)  # every query gets all there are
