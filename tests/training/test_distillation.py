"""A student learns from a frozen teacher of another size and vocabulary."""

from pathlib import Path

import pytest
import torch

from hybrid_ir.encoder.build import read_checkpoint
from tests.training.conftest import Configure, Run, tiny_runs
from tests.training.probes import Recorder

FEW = ("eval=[]", "trainer.max_epochs=1")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Trained on the same texts, with other tokens, prefixes, width and dropout than the student."""
    other = ("model.scratch.hidden_size=48", "model.scratch.vocab_size=300", "model.query_prefix=Q")
    folder = tmp_path_factory.mktemp("teacher")
    Run(tiny_runs(folder)(*FEW, *other, "model.dropout=0.3", "trainer.max_steps=3")).fit()
    return f"teacher.checkpoint={folder / 'run'}"


def test_the_teacher_stays_as_it_is_and_out_of_the_checkpoint_which_needs_it_again(
    configure: Configure, teacher: str, tmp_path: Path
) -> None:
    run = Run(configure(*FEW, "loss=distillation", teacher, "data.negatives=1", "model.dropout=0.1"))
    assert run.module.teacher is not None
    encoder = run.module.teacher.encoder
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    run.fit()
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not encoder.training and run.module.encoder.training
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in encoder.parameters())
    metrics = run.trainer.callback_metrics
    assert metrics["train/loss"] == pytest.approx(
        float(metrics["train/infonce"] + metrics["train/distillation"]) / 2, rel=1e-5
    )
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(last)
    assert checkpoint["state_dict"].keys() == run.module.state_dict().keys()
    assert not any("teacher" in name for name in checkpoint["state_dict"])
    assert checkpoint["teacher"]["weights"] == encoder.describe()["weights"]
    with pytest.raises(ValueError, match="another teacher than this run's"):
        Run(configure("loss=distillation", f"teacher.checkpoint={last}", run="other")).fit(last)


def test_the_student_comes_to_rank_as_the_teacher(configure: Configure, teacher: str) -> None:
    options = ("loss=distillation", "loss.weight=1", teacher, "trainer.max_epochs=12", "eval=[]")
    recorder = Recorder()
    Run(configure(*options, "optim.learning_rate=3e-3"), recorder).fit()
    assert sum(recorder.losses[-6:]) < 0.5 * sum(recorder.losses[:6])
