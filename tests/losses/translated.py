"""Batches with translations, and what every loss over them is tested by."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from hybrid_ir.losses.contrastive import ContrastiveBatch
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.losses.translated import Translated
from tests.losses.test_infonce import random_batch
from tests.processes import run_processes

SIZE = 8  # rows that the processes share


def translated_batch(
    size: int, negatives: int, questions: int, passages: int, seed: int, dtype: torch.dtype = torch.float64
) -> ContrastiveBatch:
    """Groups that recur, and slots of which some are empty."""
    generator = torch.Generator().manual_seed(seed + 7)

    def translations(slots: int) -> Translated | None:
        if not slots:
            return None
        vectors = F.normalize(torch.randn(size, slots, 8, generator=generator, dtype=dtype), dim=-1)
        present = torch.rand(size, slots, generator=generator) < 0.7
        return Translated(vectors * present[..., None], present)

    sides = {"question_translations": translations(questions), "passage_translations": translations(passages)}
    return replace(random_batch(size, negatives, seed, dtype), **sides)


def share(batch: ContrastiveBatch, part: slice) -> ContrastiveBatch:
    """Some rows of a batch."""

    def cut(value: Any) -> Any:
        if isinstance(value, Translated):
            return Translated(value.vectors[part], value.present[part])
        return value if value is None else value[part]

    return replace(batch, **{name: cut(value) for name, value in vars(batch).items()})


def loss_and_gradient(loss: InfoNCE, batch: ContrastiveBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss, and its gradient in the weight of a linear encoder of all texts."""
    return value_and_gradient(lambda embedded: loss(embedded).loss, batch)


def value_and_gradient(
    value_of: Callable[[ContrastiveBatch], torch.Tensor], batch: ContrastiveBatch
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for any function of a batch."""
    weight = (torch.eye(8) + torch.linspace(-1, 1, 64).view(8, 8)).requires_grad_()

    def embed(value: Any) -> Any:
        if isinstance(value, Translated):  # an empty slot stays empty
            return Translated.arranged(embed(value.vectors[value.present]), value.present)
        return None if value is None else F.normalize(value @ weight.to(value), dim=-1)

    names = ("queries", "passages", "negatives", "question_translations", "passage_translations")
    value = value_of(replace(batch, **{name: embed(getattr(batch, name)) for name in names}))
    value.backward()
    assert weight.grad is not None
    return value.detach(), weight.grad


def _worker(rank: int, world_size: int, loss: InfoNCE, batch: ContrastiveBatch, folder: str) -> None:
    rows = slice(rank * SIZE // world_size, (rank + 1) * SIZE // world_size)
    torch.save(loss_and_gradient(loss, share(batch, rows)), Path(folder) / f"{rank}.pt")


def check_processes(loss: InfoNCE, batch: ContrastiveBatch, folder: Path) -> None:
    """Two processes with half of the rows each give the mean loss and gradient of one with all."""
    run_processes(_worker, 2, folder, loss, batch, str(folder))
    values, gradients = zip(*(torch.load(folder / f"{rank}.pt") for rank in range(2)), strict=True)
    value, gradient = loss_and_gradient(loss, batch)
    torch.testing.assert_close(torch.stack(values).mean(), value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.stack(gradients).mean(0), gradient, rtol=1e-5, atol=1e-6)


def related(batch: ContrastiveBatch, i: int, j: int) -> bool:
    """Whether row j's texts are no opposites of row i's."""
    return bool(
        batch.passage_groups[i] == batch.passage_groups[j] or batch.question_groups[i] == batch.question_groups[j]
    )
