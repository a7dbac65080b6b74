"""The evaluator: all settings, metric names, any number of processes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import PAPER_MEASURES, evaluate, parse_measures
from hybrid_ir.evaluation.results.result import Setting
from tests.evaluation import naive
from tests.evaluation.samples import LANGUAGES, HashEncoder, PlantedEncoder, parallel_benchmark


def test_every_setting_equals_a_plain_evaluation() -> None:
    benchmark = parallel_benchmark(questions=20, languages=LANGUAGES)
    result = evaluate(HashEncoder(), benchmark, query_chunk=1)
    encoder = HashEncoder()
    scores = (
        encoder.encode(benchmark.queries.texts, "query") @ encoder.encode(benchmark.passages.texts, "passage").T
    ).numpy()
    assert len(result.settings) == 3 + 6 + 3
    for entry in result.settings:
        assert {query.split(":")[0] for query in entry.queries} == {entry.setting.query_language}
        label = (entry.setting.query_language, entry.setting.pool)
        assert entry.setting.label == "-".join(label[: 1 + (entry.setting.kind == "crosslingual")])
        pool = [p for p, key in enumerate(benchmark.passages.ids) if entry.setting.pool in ("all", key.split(":")[0])]
        for row, query in enumerate(entry.queries):
            number = query.split("q")[1]
            order = sorted(pool, key=lambda p: -scores[benchmark.queries.ids.index(query), p])
            ranks = [r for r, p in enumerate(order, 1) if benchmark.passages.ids[p].endswith(f":p{number}")]
            for measure, values in entry.values.items():
                assert values[row] == pytest.approx(naive.measure(measure.name, ranks)), (entry.setting, query, measure)


def test_metric_names_and_macro_averages() -> None:
    result = evaluate(HashEncoder(), parallel_benchmark(questions=5, languages=("de", "en")))
    assert list(result.macro) == [
        "toy/monolingual/map", "toy/monolingual/recall@1", "toy/crosslingual/map", "toy/crosslingual/recall@1",
        "toy/multilingual/map", "toy/multilingual/recall@10", "toy/rank_distance",
    ]  # fmt: skip
    single = set(result.metrics) - set(result.macro)
    assert single == {
        *(f"toy/monolingual/{measure}/{language}" for measure in ("map", "recall@1") for language in ("de", "en")),
        *(f"toy/crosslingual/{measure}/{pair}" for measure in ("map", "recall@1") for pair in ("de-en", "en-de")),
        *(f"toy/multilingual/{measure}/{language}" for measure in ("map", "recall@10") for language in ("de", "en")),
        *(f"toy/rank_distance/{language}" for language in ("de", "en")),
    }
    for name, value in result.macro.items():
        members = [result.metrics[key] for key in single if key.rsplit("/", 1)[0] == name]
        assert value == pytest.approx(np.mean(members))


def test_a_macro_average_counts_languages_not_queries() -> None:
    benchmark = Benchmark.build(
        "toy",
        queries={"de": {"de:0": "question de 0"}, "en": {f"en:{i}": f"question en {i}" for i in range(3)}},
        passages={"de": {"de:p0": "passage de 0"}, "en": {f"en:p{i}": f"passage en {i}" for i in range(4)}},
        qrels={"de:0": ["de:p0", "en:p0"], "en:0": ["de:p0", "en:p0"], "en:1": ["en:p1"], "en:2": ["en:p2"]},
    )
    result = evaluate(PlantedEncoder(("de", "en"), 4, content=0.0, language=1.0), benchmark)
    # All English passages tie for English questions: ids descend, so p3 p2 p1 p0.
    assert result.metrics["toy/monolingual/map/en"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert result.metrics["toy/monolingual/map/de"] == 1.0
    assert result.macro["toy/monolingual/map"] == pytest.approx((1 + (1 / 2 + 1 / 3 + 1 / 4) / 3) / 2)
    assert {row.queries for row in result.rows if row.setting == Setting("crosslingual", "en", "de")} == {1}
    assert result.queries == {"de": 1, "en": 3} and result.passages == {"de": 1, "en": 4}


def test_other_measures_and_fewer_settings() -> None:
    encoder, benchmark = HashEncoder(), replace(parallel_benchmark(4, ("de", "en")), settings=("monolingual",))
    result = evaluate(encoder, benchmark, {"monolingual": ["ndcg@10", "recall@100", "ndcg@10"]})
    assert list(result.macro) == ["toy/monolingual/ndcg@10", "toy/monolingual/recall@100"]
    assert [(kind, len(texts)) for kind, texts in encoder.asked] == [("query", 8), ("passage", 8)]  # once
    assert result.seconds.keys() == {"embedding", "scoring"} and min(result.seconds.values()) > 0
    multilingual = replace(benchmark, settings=("multilingual",))
    assert list(parse_measures(PAPER_MEASURES, multilingual)) == ["multilingual"]


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        (PAPER_MEASURES | {"monolingual": ["mpa"]}, "unknown measure 'mpa'; did you mean 'map'?"),
        ({"monolingal": ["map"]}, "unknown setting 'monolingal'; did you mean 'monolingual'?"),
        ({"monolingual": ["map"], "multilingual": ["map"]}, "evaluated in the crosslingual setting, but no measure"),
        (PAPER_MEASURES | {"crosslingual": ["rank_distance"]}, "defined only in the multilingual setting"),
        (
            PAPER_MEASURES | {"crosslingual": ["lang_ndcg@10"]},
            "lang_ndcg@10 compares languages: it is defined only",
        ),
        (PAPER_MEASURES | {"monolingual": ["rank_correlation@10"]}, "defined only in the multilingual setting"),
        (PAPER_MEASURES | {"multilingual": ["rank_correlation"]}, "needs a cut-off, such as rank_correlation@10"),
        (PAPER_MEASURES | {"multilingual": ["language_share_xx@10"]}, "benchmark toy has no xx, only de, en, tr"),
    ],
)
def test_wrong_measures_stop_before_anything_is_embedded(measures: dict[str, list[str]], message: str) -> None:
    encoder = HashEncoder()
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate(encoder, parallel_benchmark(), measures)
    assert not encoder.asked


class OfBothKinds:
    """The interface of a SentenceTransformer."""

    def encode(self, texts: list[str], prompt_name: str | None = None) -> np.ndarray:
        raise AssertionError("of a kind")

    def encode_query(self, texts: list[str]) -> np.ndarray:
        return HashEncoder().encode(texts, "query").numpy()

    def encode_document(self, texts: list[str]) -> np.ndarray:
        return HashEncoder().encode(texts, "passage").numpy()


class OfTexts:
    def encode(self, texts: list[str], batch_size: int = 32) -> list[np.ndarray]:
        return list(HashEncoder().encode(texts, "text").numpy())


class OfKinds:
    def encode(self, texts: list[str], kind: str) -> np.ndarray:
        vectors = HashEncoder().encode(texts, kind).double().numpy()
        vectors.setflags(write=False)
        return vectors


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("system", "kinds"),
    [
        (OfKinds(), True),
        (OfBothKinds(), True),
        (OfTexts(), False),
        (lambda texts, kind: HashEncoder().encode(texts, kind).tolist(), True),
        (lambda texts: list(HashEncoder().encode(texts, "text")), False),
    ],
)
def test_any_function_or_object_that_returns_vectors_is_a_system(system: Any, kinds: bool) -> None:
    class Expected(HashEncoder):
        def encode(self, texts: Sequence[str], kind: str) -> torch.Tensor:
            return super().encode(texts, kind if kinds else "text")

    assert evaluate(system, parallel_benchmark()).metrics == evaluate(Expected(), parallel_benchmark()).metrics


def test_a_system_without_vectors_or_scores_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a system must have encode\(texts, kind\) .* str is none of them"):
        evaluate("labse", parallel_benchmark())  # type: ignore[arg-type]
