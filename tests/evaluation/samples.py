"""Small benchmarks and encoders without a model."""

import zlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark

LANGUAGES = ("de", "en", "tr")


def parallel_benchmark(questions: int = 6, languages: Sequence[str] = LANGUAGES, name: str = "toy") -> Benchmark:
    """Question i has one relevant passage, passage i, in every language; its texts are `{language} {i}`."""
    numbers = range(questions)
    return Benchmark.build(
        name,
        queries={lang: {f"{lang}:q{i}": f"question {lang} {i}" for i in numbers} for lang in languages},
        passages={lang: {f"{lang}:p{i}": f"passage {lang} {i}" for i in numbers} for lang in languages},
        qrels={f"{lang}:q{i}": [f"{pool}:p{i}" for pool in languages] for lang in languages for i in numbers},
        query_groups={f"{lang}:q{i}": str(i) for lang in languages for i in numbers},
    )


def qrels_of(benchmark: Benchmark) -> dict[str, list[str]]:
    """Ids of what is relevant to each query, in ascending order."""
    ids, bounds = benchmark.passages.ids, zip(benchmark.queries.ids, pairwise(benchmark.offsets), strict=True)
    return {query: sorted(ids[row] for row in benchmark.relevant[begin:end]) for query, (begin, end) in bounds}


def write_qrels(path: Path, benchmark: Benchmark) -> None:
    """What is relevant to each query of a benchmark, as TREC's columns."""
    found = qrels_of(benchmark).items()
    path.write_text("".join(f"{query} 0 {passage} 1\n" for query, passages in found for passage in passages))


class HashEncoder:
    """A random unit vector for each text, always the same one; remembers what it was asked."""

    def __init__(self, dimension: int = 16) -> None:
        self.dimension = dimension
        self.asked: list[tuple[str, list[str]]] = []

    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        self.asked.append((kind, list(texts)))
        return torch.stack([self._vector(f"{kind}: {text}") for text in texts])

    def describe(self) -> dict[str, object]:
        return {"encoder": "hash", "dimension": self.dimension}

    def _vector(self, text: str) -> Tensor:
        return hash_vector(text, self.dimension)


@cache
def hash_vector(text: str, dimension: int) -> Tensor:
    vector = torch.randn(dimension, generator=torch.Generator().manual_seed(zlib.crc32(text.encode())))
    return vector / vector.norm()


class PlantedEncoder:
    """Vectors made of what the texts `... {language} {i}` of `parallel_benchmark` say: a weight for each part."""

    def __init__(self, languages: Sequence[str], questions: int, content: float, language: float) -> None:
        self.languages, self.questions = list(languages), questions
        self.content, self.language = content, language

    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        vectors = torch.zeros(len(texts), len(self.languages) + self.questions)
        for row, text in enumerate(texts):
            _, language, number = text.split()
            vectors[row, self.languages.index(language)] = self.language
            vectors[row, len(self.languages) + int(number)] = self.content
        return vectors
