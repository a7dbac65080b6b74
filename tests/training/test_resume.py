"""A run that was cut off and resumed ends where the uninterrupted one does, bit by bit."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.rules.resume_rules import check_resume
from hybrid_ir.sampling.plan import BatchPlan
from tests.training.conftest import Configure, Run

OPTIONS = ("sampler=hybrid", "trainer.max_epochs=3", "model.dropout=0.1", "eval.at_start=false")


class StopAfter(L.Callback):
    """Raises after a number of steps, as a kill would end the run."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_step == self.steps:
            raise InterruptedError


def every_steps(folder: Path, steps: int) -> ModelCheckpoint:
    return ModelCheckpoint(folder, filename="{step}", every_n_train_steps=steps, save_top_k=-1)


def plan_of(cfg: DictConfig) -> BatchPlan:
    return Run(cfg).datamodule.plan


SCHEDULED = ("sampler/schedule=linear", "sampler.alpha=0", "sampler.weights.question={de: 3}")


@pytest.mark.parametrize("other", ["trainer.max_epochs=4", "trainer.max_steps=9", "+trainer.limit_train_batches=5"])
def test_a_schedule_binds_the_length_of_the_run(configure: Configure, tmp_path: Path, other: str) -> None:
    first = configure("trainer.max_epochs=3", *SCHEDULED)
    before = OmegaConf.to_container(first, resolve=True)
    kept = [] if "max_epochs" in other else ["trainer.max_epochs=3"]
    with pytest.raises(ValueError, match=f"{other.lstrip('+')} .(was|not in)"):
        check_resume(configure(*kept, *SCHEDULED, other, run="longer"), before)
    plans = [plan_of(cfg) for cfg in (first, configure(*kept, *SCHEDULED, other, run="longer"))]
    assert plans[0].fingerprint() != plans[1].fingerprint()


@pytest.mark.parametrize("free", [(*SCHEDULED, "sampler.schedule.batches=7"), ("sampler/schedule=constant",)])
def test_a_schedule_of_its_own_length_leaves_the_run_free(configure: Configure, free: tuple[str, ...]) -> None:
    first, longer = (configure(f"trainer.max_epochs={epochs}", *free, run=str(epochs)) for epochs in (3, 4))
    check_resume(longer, OmegaConf.to_container(first, resolve=True))
    assert plan_of(first).fingerprint() == plan_of(longer).fingerprint()


def test_other_values_than_the_checkpoints_are_refused(configure: Configure) -> None:
    before = OmegaConf.to_container(configure(), resolve=True)
    check_resume(configure("trainer.max_epochs=9", "data.num_workers=2", "model.max_tokens=64", run="moved"), before)
    with pytest.raises(ValueError, match=r"loss.temperature=0.2 \(was 0.05\), model.max_passage_length=16 .was 128"):
        check_resume(configure("loss.temperature=0.2", "model.max_passage_length=16"), before)
    with pytest.raises(ValueError, match=r"trainer.precision=bf16-mixed"):
        check_resume(configure("trainer.precision=bf16-mixed"), before)


def test_checkpoint_of_another_plan_or_encoder_is_refused(configure: Configure, tmp_path: Path) -> None:
    Run(configure("trainer.max_epochs=1")).fit()
    checkpoint = tmp_path / "run" / "checkpoints" / "last.ckpt"
    with pytest.raises(ValueError, match="another batch plan: seed, sampler"):
        Run(configure("seed=2", "trainer.max_epochs=2", run="other")).fit(checkpoint)
    with pytest.raises(ValueError, match=r"another encoder .* pooling, backbone.hidden_size differ"):
        Run(configure("model.scratch.hidden_size=16", "model.pooling=cls", run="other")).fit(checkpoint)


def test_checkpoints_load_without_pickle(configure: Configure, tmp_path: Path) -> None:
    Run(configure("trainer.max_epochs=1")).fit()
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["hyper_parameters"]["sampler"]["alpha"] == 0.5
