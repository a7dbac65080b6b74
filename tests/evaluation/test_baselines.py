"""Baselines: the same engine, known scores, and a word for what is not installed."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hybrid_ir import assembly
from hybrid_ir.evaluation.baselines.bm25 import BM25, tokenize
from hybrid_ir.evaluation.baselines.random_scores import RandomEncoder
from hybrid_ir.evaluation.baselines.sentence_transformers import SentenceTransformerEncoder
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate
from tests.compose import compose_config
from tests.evaluation.samples import parallel_benchmark


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Wo liegt ULM? An der Donau.", "wo liegt ulm an der donau"),
        ("多瑙河 in 2024", "多瑙 瑙河 in 2024"),
        ("กรุงเทพ", "กร รุ ุง งเ เท ทพ"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
        ("USA的首都", "usa 的首 首都"),
        ("水", "水"),
        ("Ｈａｕｓ Straße", "haus strasse"),
        ("?! ", ""),
    ],
)
def test_terms(text: str, terms: str) -> None:
    assert tokenize(text) == terms.split()


def bm25_by_hand(benchmark: Benchmark, k1: float, b: float) -> np.ndarray:
    documents = [tokenize(text) for text in benchmark.passages.texts]
    average = np.mean([len(document) for document in documents])
    scores = np.zeros((len(benchmark.queries), len(documents)))
    for row, query in enumerate(benchmark.queries.texts):
        for term in tokenize(query):
            having = sum(term in document for document in documents)
            idf = np.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
            for column, document in enumerate(documents):
                count = document.count(term)
                scores[row, column] += idf * count / (count + k1 * (1 - b + b * len(document) / average))
    return scores


def test_bm25_is_the_formula_in_any_order_and_portion() -> None:
    benchmark = parallel_benchmark(6)
    expected = bm25_by_hand(benchmark, 0.9, 0.4)
    queries, passages = np.random.default_rng(0).permutation(18), np.random.default_rng(1).permutation(18)
    scores = BM25().scorer(benchmark).arrange(queries, passages)
    out = torch.full((5, 18), torch.nan)
    for start in range(0, 18, 5):
        scores.fill(start, out)
        rows = queries[start : start + 5]
        np.testing.assert_allclose(out[: len(rows)], expected[rows][:, passages], rtol=1e-5, atol=1e-6)


def test_terms_are_folded() -> None:
    assert tokenize("İZMİR Ｈａｕｓ STRASSE") == tokenize("izmir haus straße") == ["izmir", "haus", "strasse"]


def test_bm25_of_a_query_without_a_term() -> None:
    sides = {"en": {"q": "?!", "r": "unseen"}}, {"en": {"p": "a", "o": "b"}}
    benchmark = Benchmark.build("b", *sides, {"q": ["p"], "r": ["o"]}, ("monolingual",))
    assert evaluate(BM25(), benchmark, {"monolingual": ["rr"]}).settings[0].values.popitem()[1].tolist() == [1.0, 0.5]


def test_random_is_at_chance_and_repeatable() -> None:
    benchmark = parallel_benchmark(60)
    metrics = evaluate(RandomEncoder(), benchmark).metrics
    chance = np.mean([1 / rank for rank in range(1, 61)])
    assert metrics["toy/monolingual/map"] == pytest.approx(chance, abs=0.04)
    assert metrics == evaluate(RandomEncoder(), benchmark).metrics
    assert metrics != evaluate(RandomEncoder(seed=1), benchmark).metrics


@pytest.mark.parametrize(
    ("library", "build"),
    [("bm25s", BM25), ("sentence_transformers", lambda: SentenceTransformerEncoder("anything"))],
)
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, library: str, build) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ValueError, match=f"pip install {library.replace('_', '-')}"):
        build()


def test_baseline_encodes_on_the_device_of_the_command(tmp_path: Path) -> None:
    sentence = ["baseline=sentence_transformers", "baseline.name_or_path=x"]
    for baseline, device in (
        (sentence, "meta"), ([*sentence, "baseline.device=cpu"], "cpu"), (["baseline=random"], None)
    ):  # fmt: skip
        cfg = compose_config("evaluate", [*baseline, "baseline._target_=builtins.dict"], tmp_path)
        built: dict[str, Any] = assembly.build_system(cfg, torch.device("meta"))
        assert built.get("device") == device
