"""Evaluation texts: the queries or passages of benchmarks, which must not occur in training."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hybrid_ir.data.corpus import Side
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark, TextSet
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark


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


def evaluation_texts(benchmarks: Iterable[Benchmark | StreamedBenchmark], side: Side) -> list[EvaluationText]:
    """All queries (side `question`) or passages of the benchmarks. Streamed benchmarks, too large to compare, only
    contribute queries.
    """
    texts: list[EvaluationText] = []
    for benchmark in benchmarks:
        if isinstance(benchmark, StreamedBenchmark):
            texts += _streamed(benchmark) if side == "question" else []
        elif side == "question":
            texts += _of(benchmark, benchmark.queries, frozenset())
        else:
            texts += _of(benchmark, benchmark.passages, frozenset(np.unique(benchmark.relevant).tolist()))
    return texts


def texts_fingerprint(texts: Sequence[EvaluationText]) -> str:
    """SHA-256 of everything about the evaluation texts that a comparison depends on."""
    content = hashlib.sha256()
    for text in texts:
        content.update(repr(text).encode("utf-8", "surrogatepass"))
    return content.hexdigest()


def _of(benchmark: Benchmark, texts: TextSet, answers: frozenset[int]) -> Iterator[EvaluationText]:
    rows = zip(texts.ids, texts.texts, texts.languages.tolist(), strict=True)
    for position, (key, text, language) in enumerate(rows):
        code = benchmark.languages[language]
        yield EvaluationText(benchmark.name, code, key, text, position in answers, benchmark.templated)


def _streamed(benchmark: StreamedBenchmark) -> Iterator[EvaluationText]:
    for task in benchmark.tasks:
        for key, text in task.queries.items():
            yield EvaluationText(benchmark.name, task.corpus.language, key, text)
