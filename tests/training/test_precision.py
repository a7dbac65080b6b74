"""bf16-mixed is the float32 run within bf16's rounding; the loss, the weights and evaluation stay in float32."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from hybrid_ir import assembly
from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.evaluation.evaluator import evaluate
from tests.training.conftest import Configure, Run
from tests.training.probes import Recorder

# Of a loss: eight bits leave vectors off by some thousandths, and 1 / temperature makes 20 times that of it.
TOLERANCE = 0.02


class Dtypes:
    """Listens to what the encoder hands on and what the loss computes in, while gradients are taken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: set[torch.dtype] = set()
        self.logits: set[tuple[torch.dtype, bool]] = set()
        real_entropy, real_linear = F.cross_entropy, F.linear

        def cross_entropy(logits: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
            self.logits.add((logits.dtype, torch.is_autocast_enabled("cpu")))
            return real_entropy(logits, *args, **options)

        def linear(*args: Any) -> torch.Tensor:
            output = real_linear(*args)
            if torch.is_grad_enabled():
                self.states.add(output.dtype)
            return output

        monkeypatch.setattr(F, "cross_entropy", cross_entropy)
        monkeypatch.setattr(F, "linear", linear)


def test_bf16_training_follows_float32(configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = ("model.gradient_cache=true", "model.max_tokens=128")  # equal to the plain path: test_gradient_cache.py
    options = ("trainer.max_epochs=1", "data.negatives=1", "loss.learn_temperature=true", *cached)
    exact, mixed = Recorder(), Recorder()
    Run(configure(*options, run="exact"), exact).fit()
    dtypes = Dtypes(monkeypatch)
    cfg = configure(*options, "trainer.precision=bf16-mixed", run="mixed")
    run = Run(cfg, mixed).fit()

    assert dtypes.states == {torch.bfloat16}  # autocast was on, in both passes of gradient caching
    assert dtypes.logits == {(torch.float32, False)}
    assert mixed.losses == pytest.approx(exact.losses, rel=TOLERANCE) and mixed.losses != exact.losses
    assert {weight.dtype for weight in run.module.parameters()} == {torch.float32}

    checkpoint = tmp_path / "mixed" / "checkpoints" / "last.ckpt"
    state = torch.load(checkpoint, weights_only=True)
    moments = [value for entry in state["optimizer_states"][0]["state"].values() for value in entry.values()]
    assert {value.dtype for value in moments} == {torch.float32}
    (benchmark,) = assembly.build_benchmarks(cfg)
    for name, value in evaluate(load_checkpoint_encoder(checkpoint), benchmark).macro.items():
        assert value == pytest.approx(float(run.trainer.callback_metrics[name]), rel=1e-6), name
