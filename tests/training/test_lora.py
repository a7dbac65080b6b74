"""LoRA trains small matrices instead of the backbone's, and nothing else changes."""

import sys
from pathlib import Path

import pytest
import torch

from hybrid_ir import assembly
from hybrid_ir.encoder.backbone.lora import LoraConfig, add_adapters
from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.evaluation.evaluator import evaluate
from tests.training.conftest import Configure, Run
from tests.training.test_fit import Recorder
from tests.training.test_resume import StopAfter, every_steps

LORA = ("model.lora.rank=3", "model.lora.alpha=12", "optim.learning_rate=1e-2")
FEW = ("eval.at_start=false", "trainer.max_epochs=1")


def trained(run: Run) -> dict[str, int]:
    return {name: value.numel() for name, value in run.module.named_parameters() if value.requires_grad}


def test_nothing_but_adapters_and_the_temperature_is_trained(configure: Configure) -> None:
    run = Run(configure(*LORA, *FEW, "loss.learn_temperature=true"))
    before = {name: value.clone() for name, value in run.module.state_dict().items()}
    sizes = trained(run)
    assert sum(sizes.values()) == 1 * 2 * 3 * (32 + 32) + 1  # one layer, query and value, rank 3, both matrices; t
    assert all(".lora_" in name for name in sizes.keys() - {"loss.log_scale"})
    untouched = run.module.encode(["Where is city 3?"], "query")
    run.fit()
    for name, value in run.module.state_dict().items():
        if "epoch_metrics" not in name:
            assert torch.equal(value, before[name]) == (name not in sizes), name
    assert not torch.equal(run.module.encode(["Where is city 3?"], "query"), untouched)


def test_adapters_change_nothing_at_first(configure: Configure) -> None:
    plain, adapted = (Run(configure(*LORA[:used], run=f"run-{used}")).module for used in (0, len(LORA)))
    plain.encoder.backbone.load_state_dict(
        {key.replace(".base_layer.", "."): value for key, value in adapted.encoder.backbone.state_dict().items()
         if ".lora_" not in key}
    )  # fmt: skip
    texts = ["Where is city 3?", "city 3 lies near river 21."]
    assert torch.equal(plain.encode(texts, "query"), adapted.encode(texts, "query"))
    assert plain.describe() == adapted.describe()


def test_a_checkpoint_evaluates_as_in_training(configure: Configure, tmp_path: Path) -> None:
    cfg = configure(*LORA)
    run = Run(cfg).fit()
    encoder = load_checkpoint_encoder(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert not any("lora" in name or "base_layer" in name for name in encoder.state_dict())
    assert encoder.describe() == run.module.describe() != Run(configure(*LORA, run="fresh")).module.describe()
    texts = ["Where is city 3?", "city 3 lies near river 21."]
    torch.testing.assert_close(encoder.encode(texts, "query"), run.module.encode(texts, "query"), rtol=1e-5, atol=1e-6)
    (benchmark,) = assembly.build_benchmarks(cfg)
    for name, value in evaluate(encoder, benchmark).macro.items():
        assert value == pytest.approx(float(run.trainer.callback_metrics[name]), rel=1e-6), name


def test_a_resumed_run_ends_where_the_whole_one_does(configure: Configure, tmp_path: Path) -> None:
    """With a loss over translations, which has modules of its own, and workers that draw batches ahead."""
    loss = ("loss=language_contrastive", "data.num_workers=2")
    options = (*LORA, "model.lora.dropout=0.2", "trainer.max_epochs=2", "eval=[]", *loss)
    whole, cut, rest = Recorder(), Recorder(), Recorder()
    reference = Run(configure(*options, run="whole"), whole).fit()
    with pytest.raises(InterruptedError):
        Run(configure(*options, run="cut"), cut, StopAfter(9), every_steps(tmp_path / "ckpt", 8)).fit()
    resumed = Run(configure(*options, run="cut"), rest).fit(tmp_path / "ckpt" / "step=8.ckpt")
    assert cut.batches[:8] + rest.batches == whole.batches
    for name, value in reference.module.state_dict().items():
        assert torch.equal(value, resumed.module.state_dict()[name]), name
    with pytest.raises(ValueError, match=r"another encoder .* lora differ"):
        Run(configure("trainer.max_epochs=2", "eval=[]", *loss, run="other")).fit(tmp_path / "ckpt" / "step=8.ckpt")


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
