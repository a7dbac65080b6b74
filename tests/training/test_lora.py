"""LoRA trains small matrices instead of the backbone's, and nothing else changes."""

import sys
from pathlib import Path

import pytest
import torch

from hybrid_ir import assembly
from hybrid_ir.encoder.backbone import LoraConfig, add_adapters
from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.evaluation.evaluator import evaluate
from tests.training.conftest import Configure, Run

LORA = ("model.lora.rank=3", "model.lora.alpha=12", "optim.learning_rate=1e-2")
TEXTS = ["Where is city 3?", "city 3 lies near river 21."]


def test_adapters_alone_are_trained_and_a_checkpoint_evaluates_as_in_training(
    configure: Configure, tmp_path: Path
) -> None:
    cfg = configure(*LORA, "loss.learn_temperature=true")
    run = Run(cfg)
    before = {name: value.clone() for name, value in run.module.state_dict().items()}
    sizes = {name: value.numel() for name, value in run.module.named_parameters() if value.requires_grad}
    assert sum(sizes.values()) == 1 * 2 * 3 * (32 + 32) + 1  # one layer, query and value, rank 3, both matrices; t
    assert all(".lora_" in name for name in sizes.keys() - {"loss.log_scale"})
    untouched, untrained = run.module.encode(TEXTS, "query"), run.module.describe()
    run.fit()
    for name, value in run.module.state_dict().items():
        if "epoch_metrics" not in name:
            assert torch.equal(value, before[name]) == (name not in sizes), name
    vectors = run.module.encode(TEXTS, "query")
    assert not torch.equal(vectors, untouched)

    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert not any("lora" in name or "base_layer" in name for name in encoder.state_dict())
    assert encoder.describe() == run.module.describe() != untrained
    torch.testing.assert_close(encoder.encode(TEXTS, "query"), vectors, rtol=1e-5, atol=1e-6)
    (benchmark,) = assembly.build_benchmarks(cfg)
    for name, value in evaluate(encoder, benchmark).macro.items():
        assert value == pytest.approx(float(run.trainer.callback_metrics[name]), rel=1e-6), name


def test_adapters_change_nothing_at_first(configure: Configure) -> None:
    plain, adapted = (Run(configure(*LORA[:used], run=f"run-{used}")).module for used in (0, len(LORA)))
    plain.encoder.backbone.load_state_dict(
        {key.replace(".base_layer.", "."): value for key, value in adapted.encoder.backbone.state_dict().items()
         if ".lora_" not in key}
    )  # fmt: skip
    assert torch.equal(plain.encode(TEXTS, "query"), adapted.encode(TEXTS, "query"))
    assert plain.describe() == adapted.describe()


def test_adapters_that_cannot_be_are_refused(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder: TextEncoder = Run(configure()).module.encoder
    with pytest.raises(
        ValueError, match="has no linear layer 'q_proj'; its linear layers are called dense, key, query"
    ):
        add_adapters(encoder.backbone, LoraConfig(2, target_modules=["query", "q_proj"]))
    with pytest.raises(ValueError, match=r"rank=-1 must not be negative"):
        LoraConfig(-1)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ValueError, match="pip install peft"):
        add_adapters(encoder.backbone, LoraConfig(2))
