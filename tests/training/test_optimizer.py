import pytest
import torch
from torch import nn

from hybrid_ir.training.optimizer import OptimizerConfig, build_optimizer


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_rate_rises_to_its_peak_and_ends_at_zero(schedule: str) -> None:
    config = OptimizerConfig(learning_rate=0.1, warmup=0.2, schedule=schedule)
    optimizer, scheduler = build_optimizer(config, nn.Linear(2, 2).parameters(), total_steps=10)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[0] == 0
    assert max(rates) == rates[2] == pytest.approx(0.1)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("decay", "others"), [("matrices", 0.0), ("all", 0.5)])
def test_trainable_matrices_decay_and_on_request_all_else(decay: str, others: float) -> None:
    model = nn.Sequential(nn.Embedding(4, 3), nn.Linear(3, 3), nn.LayerNorm(3))
    model[0].requires_grad_(False)
    optimizer, _ = build_optimizer(OptimizerConfig(weight_decay=0.5, decay=decay), model.parameters(), 10)
    found = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    free = (model[1].bias, model[2].weight, model[2].bias)
    assert found == {id(model[1].weight): 0.5, **{id(parameter): others for parameter in free}}


def test_a_step_is_adamw() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 3, bias=False)
    start = layer.weight.detach().clone()
    optimizer, _ = build_optimizer(
        OptimizerConfig(learning_rate=0.1, weight_decay=0.5, schedule="constant_with_warmup", warmup=0.0),
        [layer.weight],
        10,
    )
    layer.weight.grad = torch.ones_like(start)
    optimizer.step()
    torch.testing.assert_close(layer.weight, start * (1 - 0.1 * 0.5) - 0.1, rtol=1e-5, atol=1e-6)


BAD = [{"schedule": "step"}, {"decay": "norms"}, {"learning_rate": 0.0}, {"warmup": 1.0}]


@pytest.mark.parametrize("settings", BAD)
def test_bad_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match="optim"):
        OptimizerConfig(**settings)
