"""Random batches of vectors, and the gradient of a loss in an encoder that made them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from hybrid_ir.losses.contrastive import BatchVectors

Value = Callable[[BatchVectors], torch.Tensor]
VECTORS = ("queries", "passages", "negatives", "question_translations", "passage_translations")


def random_batch(
    size: int,
    negatives: int = 0,
    questions: int = 0,
    passages: int = 0,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> BatchVectors:
    """Groups recur, some slots are empty, and a teacher of another width embeds the same texts elsewhere."""
    generator = torch.Generator().manual_seed(seed)

    def vectors(*shape: int) -> torch.Tensor | None:
        drawn = torch.randn(*shape, generator=generator, dtype=dtype)
        return F.normalize(drawn, dim=-1) if drawn.numel() else None

    def space(width: int) -> dict[str, Any]:
        numbers = {"negatives": negatives, "question_translations": questions, "passage_translations": passages}
        slots = {name: vectors(size, count, width) for name, count in numbers.items()}
        return {"queries": vectors(size, width), "passages": vectors(size, width), **slots}

    def groups(*shape: int) -> torch.Tensor:
        return torch.randint(0, 2 * size, shape, generator=generator)

    def slots(count: int) -> torch.Tensor | None:
        return torch.rand(size, count, generator=generator) < 0.7 if count else None

    of_negatives = groups(size, negatives).masked_fill(torch.rand(size, negatives, generator=generator) < 0.3, -1)
    batch = BatchVectors(
        **space(8),
        question_groups=groups(size),
        passage_groups=groups(size),
        negative_groups=of_negatives if negatives else None,
        question_slots=slots(questions),
        passage_slots=slots(passages),
    )
    teacher = replace(batch, **space(5) | {"passage_translations": None, "passage_slots": None})
    return with_empty_slots(replace(batch, teacher=teacher))


def with_empty_slots(batch: BatchVectors, **slots: torch.Tensor) -> BatchVectors:
    """The batch with other slots, if any are given, and zero vectors in the empty ones."""
    batch = replace(batch, **slots)
    for side in ("question", "passage"):
        vectors, present = getattr(batch, f"{side}_translations"), getattr(batch, f"{side}_slots")
        if vectors is not None:
            batch = replace(batch, **{f"{side}_translations": vectors * present[..., None]})
    return batch


def rows_of(batch: BatchVectors, rows: slice) -> BatchVectors:
    """Some rows of a batch, as a rank has them."""
    cut = {name: value[rows] for name, value in vars(batch).items() if isinstance(value, torch.Tensor)}
    return replace(batch, **cut, teacher=None if batch.teacher is None else rows_of(batch.teacher, rows))


def value_and_gradient(value_of: Value, batch: BatchVectors) -> tuple[torch.Tensor, torch.Tensor]:
    """A function of a batch, and its gradient in the weight of a linear encoder of all texts."""
    weight = (torch.eye(8) + torch.linspace(-1, 1, 64).view(8, 8)).double().requires_grad_()

    def embed(vectors: torch.Tensor | None) -> torch.Tensor | None:
        return None if vectors is None else F.normalize(vectors @ weight.to(vectors), dim=-1)  # 0 stays 0

    value = value_of(replace(batch, **{name: embed(getattr(batch, name)) for name in VECTORS}))
    value.backward()
    assert weight.grad is not None
    return value.detach(), weight.grad
