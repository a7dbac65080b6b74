"""A compiled backbone trains, resumes and is evaluated as the plain one."""

import os
from pathlib import Path

import pytest
import torch
from torch._dynamo.utils import counters

from hybrid_ir.encoder.build import load_checkpoint_encoder
from tests.training.conftest import Configure, Run
from tests.training.probes import Gradients

GRAPHS = 4  # passes with and without a graph; a length or a number of rows that recurs no more does not count


WHY = "compiles dozens of C++ files, which takes minutes: HYBRID_IR_INDUCTOR=1 runs it"
INDUCTOR = pytest.param("inductor", marks=pytest.mark.skipif(os.environ.get("HYBRID_IR_INDUCTOR") != "1", reason=WHY))


@pytest.mark.parametrize("backend", ["aot_eager", INDUCTOR])
def test_compiled_training_equals_the_plain_one(
    configure: Configure, tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout and gradient caching: both passes draw what they draw without compilation.

    `eager` attention, because the plain run's `sdpa` would not pad, and draw other dropout.
    """
    options = ("model.gradient_cache=true", "model.max_tokens=96", "model.dropout=0.1", "model.attention=eager",
               "eval=[]", "data.batch_size=16")  # fmt: skip
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    plain, compiled = Gradients(), Gradients()
    Run(configure(*options, "trainer.max_epochs=1", run="plain"), plain).fit()
    torch._dynamo.reset()
    counters.clear()
    run = Run(configure(*options, "trainer.max_epochs=1", f"model.compile={backend}", run="compiled"), compiled).fit()

    assert 0 < counters["stats"]["unique_graphs"] <= GRAPHS
    for expected, found in zip(plain.steps, compiled.steps, strict=True):
        for name, gradient in expected.items():
            assert (found[name] - gradient).norm() <= 1e-4 * gradient.norm() + 1e-6, name
    state = torch.load(tmp_path / "compiled" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert not [name for name in state if "_orig_mod" in name]
    encoder = load_checkpoint_encoder(tmp_path / "compiled" / "checkpoints" / "last.ckpt")
    texts = ["Where is Ulm?", "Wo liegt Ulm? " * 5]
    torch.testing.assert_close(encoder.encode(texts, "query"), run.module.encode(texts, "query"), rtol=1e-4, atol=1e-5)


def test_an_unknown_backend_is_named(configure: Configure) -> None:
    with pytest.raises(ValueError, match=r"model\.compile is 'inducter'; this PyTorch has .*inductor"):
        Run(configure("model.compile=inducter"))
