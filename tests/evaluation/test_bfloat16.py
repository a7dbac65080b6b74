"""Evaluation in bfloat16."""

import pytest
import torch

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.evaluation.vectors.encoder import at_precision, check_precision

TEXTS = ["Ulm lies on the Danube.", "Wo liegt Ulm?", "Tuna", "a b c d e f g"]


def test_vectors_are_near_and_differ(encoder: TextEncoder) -> None:
    whole = at_precision(encoder, "32-true", encoder.device)
    half = at_precision(encoder, "bf16-mixed", encoder.device)
    exact, rough = (system.encode(TEXTS, "passage") for system in (whole, half))
    assert torch.equal(exact, encoder.encode(TEXTS, "passage")) and rough.dtype == torch.float32
    assert not torch.equal(exact, rough)
    assert (exact * rough).sum(1).min() > 0.999


def test_a_result_says_what_it_was_made_with(encoder: TextEncoder) -> None:
    assert at_precision(encoder, "32-true", encoder.device).describe() == encoder.describe()
    assert at_precision(encoder, "bf16-mixed", encoder.device).describe() == encoder.describe() | {
        "precision": "bf16-mixed"
    }


def test_other_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"eval\.precision must be 32-true or bf16-mixed, got '16-mixed'"):
        check_precision("16-mixed")
