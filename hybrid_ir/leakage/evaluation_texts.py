"""Evaluation texts: the queries or passages of benchmarks, which must not occur in training."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybrid_ir.data.corpus import Side
from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet


@dataclass(frozen=True)
class EvaluationText:
    """A query or passage of a benchmark.

    Attributes:
        benchmark: name of the benchmark.
        language: language code.
        key: id of the text in the benchmark.
        text: the text, as in the benchmark.
        answers: whether it is a passage that is relevant to a query.
        templated: whether only exact copies count, because the text is made from a template (see `Benchmark`).
    """

    benchmark: str
    language: str
    key: str
    text: str
    answers: bool = False
    templated: bool = False


def evaluation_texts(benchmarks: Iterable[EvaluationSet], side: Side) -> list[EvaluationText]:
    """All queries (side `question`) or passages of benchmarks; only the queries of benchmarks on disk."""
    return [
        EvaluationText(benchmark.name, text.language, text.id, text.text, text.relevant, benchmark.templated)
        for benchmark in benchmarks
        for text in benchmark.texts("query" if side == "question" else "passage")
    ]


def texts_fingerprint(texts: Sequence[EvaluationText]) -> str:
    """SHA-256 of everything about the evaluation texts that a comparison depends on."""
    content = hashlib.sha256()
    for text in texts:
        content.update(repr(text).encode("utf-8", "surrogatepass"))
    return content.hexdigest()
