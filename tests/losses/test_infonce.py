"""InfoNCE against a loop that follows the formula, and over processes against one process."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hybrid_ir.losses import infonce as loss_module
from hybrid_ir.losses.contrastive import ContrastiveBatch
from hybrid_ir.losses.infonce import InfoNCE
from tests.processes import run_processes


def random_batch(size: int, negatives: int, seed: int, dtype: torch.dtype = torch.float64) -> ContrastiveBatch:
    generator = torch.Generator().manual_seed(seed)

    def vectors(*shape: int) -> torch.Tensor:
        return F.normalize(torch.randn(*shape, 8, generator=generator, dtype=dtype), dim=-1)

    def groups(*shape: int) -> torch.Tensor:
        return torch.randint(0, 2 * size, shape, generator=generator)

    negative_groups = groups(size, negatives)
    negative_groups[torch.rand(size, negatives, generator=generator) < 0.3] = -1
    return ContrastiveBatch(
        vectors(size),
        vectors(size),
        groups(size),
        groups(size),
        vectors(size, negatives) if negatives else None,
        negative_groups if negatives else None,
    )


def naive_direction(batch: ContrastiveBatch, temperature: float, backward: bool) -> tuple[float, list[int]]:
    size, total, masked = len(batch.queries), 0.0, []
    rows, columns = (batch.passages, batch.queries) if backward else (batch.queries, batch.passages)
    for i in range(size):
        own = float(rows[i] @ columns[i]) / temperature
        denominator = math.exp(own)
        masked.append(0)
        for j in range(size):
            same = (
                batch.passage_groups[i] == batch.passage_groups[j]
                or batch.question_groups[i] == batch.question_groups[j]
            )
            if j != i and same:
                masked[-1] += 1
            elif j != i:
                denominator += math.exp(float(rows[i] @ columns[j]) / temperature)
        if batch.negatives is not None and not backward:
            for vector, group in zip(batch.negatives.flatten(0, 1), batch.negative_groups.flatten(), strict=True):
                if group == batch.passage_groups[i]:
                    masked[-1] += 1
                elif group != -1:
                    denominator += math.exp(float(rows[i] @ vector) / temperature)
        total += math.log(denominator) - own
    return total / size, masked


@given(
    size=st.integers(2, 9),
    negatives=st.integers(0, 3),
    temperature=st.sampled_from([0.05, 0.3, 1.0]),
    symmetric=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_loss_is_the_formula(size: int, negatives: int, temperature: float, symmetric: bool, seed: int) -> None:
    batch = random_batch(size, negatives, seed)
    output = InfoNCE(temperature, symmetric=symmetric)(batch)
    expected, masked = naive_direction(batch, temperature, backward=False)
    if symmetric:
        expected = (expected + naive_direction(batch, temperature, backward=True)[0]) / 2
    assert output.loss.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert output.masked.tolist() == masked
    absent = 0 if batch.negative_groups is None else int((batch.negative_groups == -1).sum())
    assert output.candidates.tolist() == [size * (1 + negatives) - absent - count for count in masked]


def test_planted_false_negative_has_no_influence() -> None:
    batch = random_batch(4, 0, seed=1)
    batch.question_groups.copy_(torch.arange(4))
    batch.passage_groups.copy_(torch.tensor([0, 1, 2, 0]))
    queries = batch.queries.clone().requires_grad_()
    passages = batch.passages.clone().requires_grad_()
    loss = InfoNCE(0.05)(ContrastiveBatch(queries[:1], passages[:1], torch.tensor([0]), torch.tensor([0])))
    assert loss.loss.item() == 0  # a row alone has nothing to be told from
    output = InfoNCE(0.05)(ContrastiveBatch(queries, passages, batch.question_groups, batch.passage_groups))
    assert output.masked.tolist() == [1, 0, 0, 1]
    unmasked = InfoNCE(0.05, mask_false_negatives=False)(batch)
    assert unmasked.masked.tolist() == [0, 0, 0, 0]
    assert unmasked.loss > output.loss


def test_ranks_count_better_candidates() -> None:
    passages = torch.eye(3)
    queries = torch.tensor([[1.0, 0, 0], [1.0, 0.5, 0], [0.3, 0.2, 0.1]])
    groups = torch.arange(3)
    assert InfoNCE()(ContrastiveBatch(queries, passages, groups, groups)).ranks.tolist() == [1, 2, 3]


def test_collapsed_vectors_rank_last() -> None:
    same, groups = torch.ones(4, 8), torch.arange(4)
    assert InfoNCE()(ContrastiveBatch(same, same, groups, groups)).ranks.tolist() == [4, 4, 4, 4]


def test_loss_is_float32_under_autocast() -> None:
    batch = random_batch(16, 2, seed=0, dtype=torch.float32)
    plain = InfoNCE(0.02)(batch).loss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = InfoNCE(0.02)(batch).loss
    assert output.dtype == torch.float32
    assert torch.equal(output, plain)


def test_learned_temperature_moves_and_stays_within_bounds() -> None:
    loss = InfoNCE(0.5, learn_temperature=True, min_temperature=0.3)
    optimizer = torch.optim.SGD(loss.parameters(), lr=100.0)
    batch = random_batch(8, 0, seed=2)
    loss(ContrastiveBatch(batch.queries, batch.queries, torch.arange(8), torch.arange(8))).loss.backward()
    optimizer.step()
    assert loss.temperature < 0.3
    loss.clamp_temperature()
    assert loss.temperature == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "loss.temperature is 0.0"),
        ({"temperature": 2.0, "learn_temperature": True}, "must lie within"),
    ],
)
def test_bad_temperatures_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InfoNCE(**settings)


def loss_and_gradients(batch: ContrastiveBatch, symmetric: bool) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Gradient of the loss in a linear encoder's weight, its input vectors and a learned temperature."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(8, 8, bias=False, dtype=torch.float64)
    loss = InfoNCE(0.1, learn_temperature=True, symmetric=symmetric).double()

    def embed(vectors: torch.Tensor | None) -> torch.Tensor | None:
        return None if vectors is None else F.normalize(layer(vectors), dim=-1)

    embedded = ContrastiveBatch(
        embed(batch.queries),
        embed(batch.passages),
        batch.question_groups,
        batch.passage_groups,
        embed(batch.negatives),
        batch.negative_groups,
    )
    value = loss(embedded).loss
    value.backward()
    return value.detach(), {"weight": layer.weight.grad, "log_scale": loss.log_scale.grad}


def _worker(rank: int, world_size: int, folder: str, negatives: int, symmetric: bool) -> None:
    whole = random_batch(8, negatives, seed=5)
    share = slice(rank * 8 // world_size, (rank + 1) * 8 // world_size)
    fields = (whole.queries, whole.passages, whole.question_groups, whole.passage_groups)
    extra = (whole.negatives, whole.negative_groups) if negatives else (None, None)
    local = ContrastiveBatch(*(field[share] for field in fields), *(x if x is None else x[share] for x in extra))
    value, gradients = loss_and_gradients(local, symmetric)
    torch.save((value, gradients), Path(folder) / f"{rank}.pt")


@pytest.mark.parametrize("block", [1, 60, 100])  # rows one by one, and blocks that do not divide the batch
@pytest.mark.parametrize(("negatives", "symmetric"), [(0, False), (2, True)])
def test_blocks_of_rows_equal_the_whole(
    block: int, negatives: int, symmetric: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = random_batch(10, negatives, seed=3)
    value, gradients = loss_and_gradients(batch, symmetric)
    plain = InfoNCE(0.1, symmetric=symmetric)(batch)
    monkeypatch.setattr(loss_module, "BLOCK_LOGITS", block)
    in_blocks, found = loss_and_gradients(batch, symmetric)
    torch.testing.assert_close(in_blocks, value, rtol=1e-6, atol=0)
    for name, gradient in gradients.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-5, atol=1e-6)
    output = InfoNCE(0.1, symmetric=symmetric)(batch)
    for name in ("ranks", "candidates", "masked"):
        assert torch.equal(getattr(output, name), getattr(plain, name)), name


def test_no_matrix_of_the_whole_batch_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither forward nor backward, whatever the batch: counted by the results of every operation."""
    largest = 0

    class Sizes(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            largest = max([largest, *(x.numel() for x in tree_leaves(result) if isinstance(x, torch.Tensor))])
            return result

    monkeypatch.setattr(loss_module, "BLOCK_LOGITS", 1000)
    with Sizes():
        loss_and_gradients(random_batch(100, 1, seed=4), symmetric=True)
    assert largest <= 100 * 2 * 8 < 100 * 100  # the columns' vectors


@pytest.mark.parametrize("world_size", [2, 4])
@pytest.mark.parametrize(("negatives", "symmetric"), [(0, False), (2, False), (0, True)])
def test_processes_together_equal_one_process(world_size: int, negatives: int, symmetric: bool, tmp_path: Path) -> None:
    """DDP averages gradients over ranks; that average must be the gradient of the global batch."""
    run_processes(_worker, world_size, tmp_path, str(tmp_path), negatives, symmetric)
    results = [torch.load(tmp_path / f"{rank}.pt") for rank in range(world_size)]
    value, gradients = loss_and_gradients(random_batch(8, negatives, seed=5), symmetric)
    torch.testing.assert_close(torch.stack([result[0] for result in results]).mean(), value, rtol=1e-5, atol=1e-7)
    for name, gradient in gradients.items():
        average = torch.stack([result[1][name] for result in results]).mean(0)
        torch.testing.assert_close(average, gradient, rtol=1e-5, atol=1e-7)
