"""Parts of benchmarks: what is drawn is fixed, whole and named apart."""

from dataclasses import replace

import numpy as np
import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.subset import subset
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES, evaluate
from tests.evaluation.samples import LANGUAGES, HashEncoder, parallel_benchmark, qrels_of

QUESTIONS = 30


def test_questions_keep_translations_and_relevant_passages() -> None:
    whole = parallel_benchmark(QUESTIONS)
    part = subset(whole, queries=5, passages=4, seed=1)
    assert part.name == "toy_subset" and part.languages == whole.languages
    asked = {query.split(":")[1] for query in part.queries.ids}
    assert len(asked) == 5 and set(part.queries.ids) == {f"{lang}:{key}" for lang in LANGUAGES for key in asked}
    assert np.bincount(part.passages.languages).tolist() == [5 + 4] * 3
    assert qrels_of(part) == {query: found for query, found in qrels_of(whole).items() if query in part.queries.ids}
    assert list(part.passages.ids) == sorted(part.passages.ids, reverse=True)
    assert (
        dict(zip(part.passages.ids, part.passages.texts, strict=True)).items()
        <= dict(zip(whole.passages.ids, whole.passages.texts, strict=True)).items()
    )
    assert part.notes == (
        "15 of 90 queries and 27 of 90 passages, drawn by seed 1: scores are not those of toy",
    )  # fmt: skip


def test_it_is_the_benchmark_that_is_built_of_the_same_texts() -> None:
    part = subset(parallel_benchmark(QUESTIONS), queries=5, passages=4, seed=1)
    sides = []
    for texts in (part.queries, part.passages):
        sides.append({language: {} for language in part.languages})
        for key, text, language in zip(texts.ids, texts.texts, texts.languages, strict=True):
            sides[-1][part.languages[language]][key] = text
    query_groups = {query: query.split(":")[1] for query in part.queries.ids}
    built = Benchmark.build("toy_subset", *sides, qrels_of(part), query_groups=query_groups)
    assert part.fingerprint == built.fingerprint
    one, other = (evaluate(HashEncoder(), each, DEFAULT_MEASURES).metrics for each in (part, built))
    assert one == other


def test_seed_and_ids_decide_alone() -> None:
    whole = parallel_benchmark(QUESTIONS)
    part = subset(whole, queries=5, passages=4, seed=1)
    assert part.fingerprint == subset(whole, queries=5, passages=4, seed=1).fingerprint
    assert part.fingerprint != subset(whole, queries=5, passages=4, seed=2).fingerprint
    assert set(part.queries.ids) < set(subset(whole, queries=6, passages=4, seed=1).queries.ids)
    everything = subset(whole, queries=99, passages=99, seed=1)
    assert everything.fingerprint == whole.fingerprint and everything.name != whole.name


def test_queries_without_translations_are_drawn_by_language_and_a_setting_must_not_be_lost() -> None:
    for sizes in ((0, 5), (5, -1)):
        with pytest.raises(ValueError, match=f"at least 1 query and 0 passages, got {sizes[0]} and {sizes[1]}"):
            subset(parallel_benchmark(), *sizes, seed=1)
    sparse = Benchmark.build(
        "sparse",
        {"de": {f"d{i}": "q" for i in range(50)}, "en": {"e": "q"}},
        {"de": {"pd": "p"}, "en": {"pe": "p"}},
        {**{f"d{i}": ["pd"] for i in range(50)}, "e": ["pe"], "d7": ["pd", "pe"]},
    )
    message = "sparse_subset: none of its 2 queries has a relevant passage in a crosslingual"
    with pytest.raises(ValueError, match=message):
        subset(sparse, queries=1, passages=5, seed=1)
    assert subset(sparse, queries=50, passages=5, seed=1).settings == sparse.settings
    monolingual = replace(sparse, settings=("monolingual",))
    part = subset(monolingual, queries=1, passages=0, seed=1)
    assert np.bincount(part.queries.languages).tolist() == np.bincount(part.passages.languages).tolist() == [1, 1]
