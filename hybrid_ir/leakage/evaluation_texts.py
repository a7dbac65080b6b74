"""The texts of evaluation sets that must not be trained on."""

import hashlib
from collections.abc import Iterable, Sequence

from hybrid_ir.data.corpus import Side
from hybrid_ir.evaluation.benchmarks.benchmark import EvaluationSet
from hybrid_ir.leakage.sketch_index import EvaluationText


def evaluation_texts(benchmarks: Iterable[EvaluationSet], side: Side) -> list[EvaluationText]:
    """All queries (`question`) or passages of benchmarks; of benchmarks on disk, the queries."""
    return [
        EvaluationText(benchmark.name, text.language, text.id, text.text, text.relevant, benchmark.templated)
        for benchmark in benchmarks
        for text in benchmark.texts("query" if side == "question" else "passage")
    ]


def digest(texts: Sequence[EvaluationText]) -> str:
    """SHA-256 of everything that a comparison with them depends on."""
    content = hashlib.sha256()
    for text in texts:
        content.update(repr(text).encode("utf-8", "surrogatepass"))
    return content.hexdigest()
