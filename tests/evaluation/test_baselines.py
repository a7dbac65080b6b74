"""Baselines: the same engine, known scores, and a word for what is not installed."""

import importlib.util
import shutil
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
from hybrid_ir.evaluation.benchmarks.cldr_questions import load_cldr
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.sources.hub.repository import MODEL_PINS
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


def test_bm25_finds_words_of_its_own_language() -> None:
    """Built-in facts, in Thai and Chinese too: questions share words with their answers, but not across scripts."""
    metrics = evaluate(BM25(), load_cldr("cldr_four", ["en", "de", "th", "zh"])).metrics
    for language in ("en", "de", "th", "zh"):
        assert 0.3 < metrics[f"cldr_four/monolingual/map/{language}"] < 0.9, language
    for pair in ("en-th", "th-zh", "zh-de"):
        assert metrics[f"cldr_four/crosslingual/map/{pair}"] < 0.1, pair


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


@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None, reason="sentence-transformers is not installed"
)
def test_sentence_transformers_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, BertTokenizerFast

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz"]))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "bert")
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=30, **shape)).save_pretrained(tmp_path / "bert")
    parts = models.Transformer(str(tmp_path / "bert")), models.Pooling(16)
    SentenceTransformer(modules=list(parts), device="cpu").save(str(tmp_path / "model"))
    encoder = SentenceTransformerEncoder(str(tmp_path / "model"), query_prefix="q ", device="cpu")
    vectors = encoder.encode(["a b", "c"], "query")
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))
    plain = SentenceTransformerEncoder(str(tmp_path / "model"), device="cpu")
    assert torch.allclose(vectors, plain.encode(["q a b", "q c"], "passage"), atol=1e-6)
    assert set(evaluate(encoder, parallel_benchmark(3)).macro)
    assert encoder.describe()["query_prefix"] == "q "
    shutil.copytree(tmp_path / "model", tmp_path / "hub" / "models--org--name" / "snapshots" / ("a" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(MODEL_PINS, "org/name", "a" * 40)  # type: ignore[arg-type]
    assert SentenceTransformerEncoder("org/name", device="cpu").describe()["revision"] == "a" * 40
    with pytest.raises(ValueError, match="cannot reach the model nobody/nothing"):
        SentenceTransformerEncoder("nobody/nothing")
