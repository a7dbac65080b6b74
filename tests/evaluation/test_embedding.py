"""Embedding: each distinct text once, checked, and the same for any number of processes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.benchmark import TextSet
from hybrid_ir.evaluation.ranking.embedding import embed
from tests.evaluation.samples import HashEncoder
from tests.processes import run_processes


def text_set(*texts: str) -> TextSet:
    return TextSet(tuple(f"id{i}" for i in range(len(texts))), texts, np.zeros(len(texts), dtype=np.int64))


class Fixed:
    """Returns what it was made with."""

    def __init__(self, vectors: Tensor) -> None:
        self.vectors = vectors

    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        return self.vectors


def test_each_distinct_text_is_embedded_once_in_order() -> None:
    encoder = HashEncoder()
    vectors = embed(encoder, text_set("b", "a", "b", "c", "a"), "query")
    assert encoder.asked == [("query", ["b", "a", "c"])]
    assert torch.equal(vectors, HashEncoder().encode(["b", "a", "b", "c", "a"], "query"))


def test_half_precision_inference_tensors_become_float32() -> None:
    with torch.inference_mode():
        vectors = torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16)
    found = embed(Fixed(vectors), text_set("a"), "passage")
    assert found.dtype == torch.float32 and found.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_vectors_that_are_not_finite_are_refused_by_id(value: float) -> None:
    vectors = torch.ones(3, 2)
    vectors[1, 1] = value
    with pytest.raises(ValueError, match=r"2 of 4 passage vectors are not finite, such as that of 'id1'"):
        embed(Fixed(vectors), text_set("a", "b", "c", "b"), "passage")


@pytest.mark.parametrize("vectors", [torch.ones(2, 4), torch.ones(3), torch.ones(3, 2, 2)])
def test_other_shapes_are_refused(vectors: Tensor) -> None:
    with pytest.raises(ValueError, match=r"3 texts gave a tensor of shape"):
        embed(Fixed(vectors), text_set("a", "b", "c"), "passage")


def embed_and_compare(rank: int, world_size: int, texts: TextSet, expected: Tensor) -> None:
    encoder = HashEncoder()
    assert torch.equal(embed(encoder, texts, "query"), expected)
    ((_, shard),) = encoder.asked
    assert len(shard) == -(-len(set(texts.texts)) // world_size)


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_two_processes_share_texts_and_return_the_vectors_of_one(tmp_path: Path, count: int) -> None:
    texts = text_set(*(f"text {number}" for number in range(count)), "text 0")
    run_processes(embed_and_compare, 2, tmp_path, texts, embed(HashEncoder(), texts, "query"))
