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


def test_only_trainable_matrices_decay() -> None:
    model = nn.Sequential(nn.Embedding(4, 3), nn.Linear(3, 3), nn.LayerNorm(3))
    model[0].requires_grad_(False)
    optimizer, _ = build_optimizer(OptimizerConfig(weight_decay=0.5), model.parameters(), 10)
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decay == {id(model[1].weight): 0.5, id(model[1].bias): 0.0, id(model[2].weight): 0.0, id(model[2].bias): 0.0}


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


@pytest.mark.parametrize("settings", [{"schedule": "step"}, {"learning_rate": 0.0}, {"warmup": 1.0}])
def test_bad_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match="optim"):
        OptimizerConfig(**settings)
