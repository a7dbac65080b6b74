"""Building a benchmark: order, qrels, fingerprint, and errors that say which id."""

import re
from typing import Any

import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from tests.evaluation.samples import parallel_benchmark

SOUND: dict[str, Any] = {
    "queries": {"de": {"q1": "Frage"}, "en": {"q2": "question"}},
    "passages": {"de": {"p1": "Satz", "p3": "Satz"}, "en": {"p2": "sentence"}},
    "qrels": {"q1": ["p1", "p2", "p1"], "q2": ["p2"]},
}


def test_passages_descend_by_id_and_qrels_point_into_them() -> None:
    benchmark = Benchmark.build("toy", **SOUND)
    assert benchmark.passages.ids == ("p3", "p2", "p1")
    assert benchmark.passages.languages.tolist() == [0, 1, 0]
    assert benchmark.offsets.tolist() == [0, 2, 3] and benchmark.relevant.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"queries": {"de": {"q1": "Frage"}, "en": {"q1": "question"}}}, "query id 'q1' occurs twice"),
        ({"passages": {"de": {"p1": "Satz", "p2": "Satz"}, "en": {"p2": "x"}}}, "passage id 'p2' occurs twice"),
        ({"passages": {"de": {"p1": " "}, "en": {"p2": "x"}}}, "passage 'p1' is empty"),
        ({"qrels": {"q1": ["p1"]}}, "query 'q2' has no relevant passage"),
        ({"qrels": {"q1": ["p1"], "q2": ["p9"]}}, "qrels of query 'q2' name unknown passage 'p9'"),
        ({"qrels": {"q1": ["p1"], "q2": ["p2"], "q7": ["p2"]}}, "qrels name 1 unknown queries, such as 'q7'"),
        ({"queries": {}, "passages": {}, "qrels": {}}, "benchmark toy: there are no queries"),
        (
            {"settings": ("monolingual",)},
            "'p2' is in another language than query 'q1', to which it is relevant: in the",
        ),
        ({"settings": ("bilingual",)}, "unknown setting 'bilingual'; did you mean 'multilingual'?"),
        (
            {"qrels": {"q1": ["p1"], "q2": ["p2"]}},
            "benchmark toy has no crosslingual setting: no query of de, en has a",
        ),
        ({"qrels": {"q1": ["p2"], "q2": ["p1"]}}, "Leave 'monolingual' out of its settings"),
    ],
)
def test_faults_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Benchmark.build("toy", **(SOUND | change))


def test_the_fingerprint_follows_the_content_and_not_the_name() -> None:
    same = parallel_benchmark(name="other")
    assert parallel_benchmark().fingerprint == same.fingerprint
    fewer, renamed = parallel_benchmark(questions=5), parallel_benchmark(languages=("de", "en", "vi"))
    assert len({same.fingerprint, fewer.fingerprint, renamed.fingerprint}) == 3
    changed = Benchmark.build("toy", **(SOUND | {"qrels": {"q1": ["p1", "p2"], "q2": ["p1"]}}))
    assert changed.fingerprint != Benchmark.build("toy", **SOUND).fingerprint
