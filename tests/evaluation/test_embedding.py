"""Embedding: each distinct text once, at a precision, checked, and the same for any number of processes."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.ranking.scoring import embed
from hybrid_ir.evaluation.vectors.encoder import at_precision, check_precision
from tests.evaluation.samples import HashEncoder


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


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        *(
            (torch.tensor([[1.0], [value], [1.0]]), r"2 of 4 passage vectors are not finite, such as that of 'id1'")
            for value in (torch.nan, torch.inf)
        ),
        *((torch.ones(shape), r"3 texts gave a tensor of shape") for shape in ((2, 4), (3,), (3, 2, 2))),
    ],
)
def test_other_vectors_are_refused(vectors: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embed(Fixed(vectors), text_set("a", "b", "c", "b"), "passage")


def test_bfloat16_is_near_differs_and_is_described(encoder: TextEncoder) -> None:
    texts = ["Ulm lies on the Danube.", "Wo liegt Ulm?", "Tuna", "a b c d e f g"]
    whole, half = (at_precision(encoder, precision, encoder.device) for precision in ("32-true", "bf16-mixed"))
    exact, rough = (system.encode(texts, "passage") for system in (whole, half))
    assert torch.equal(exact, encoder.encode(texts, "passage")) and rough.dtype == torch.float32
    assert not torch.equal(exact, rough) and (exact * rough).sum(1).min() > 0.999
    assert whole.describe() == encoder.describe()
    assert half.describe() == encoder.describe() | {"precision": "bf16-mixed"}
    with pytest.raises(ValueError, match=r"eval\.precision must be 32-true or bf16-mixed, got '16-mixed'"):
        check_precision("16-mixed")
