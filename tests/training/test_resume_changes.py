"""A run that goes on under other values, or from a checkpoint that cannot be gone on from."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import yaml
from omegaconf import OmegaConf

from hybrid_ir.config.rules.resume_rules import check_resume
from hybrid_ir.launch.resuming import resume_point
from hybrid_ir.training.compatibility import position_after
from tests.training.conftest import Configure, Run
from tests.training.test_resume import StopAfter

CUT = ("sampler=hybrid", "trainer.max_epochs=2", "eval=[]", "callbacks.last.every_n_steps=4")


class Averages(L.Callback):
    """Keeps the loss of every step, and `train_epoch/...` of every epoch."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.epochs: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: L.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.losses.append(outputs["loss"].item())

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        logged = trainer.callback_metrics.items()  # of the epoch before: callbacks hear of its end before it is logged
        values = {name: float(value) for name, value in logged if name.startswith("train_epoch/")}
        self.epochs += [values] if values else []

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.on_train_epoch_start(trainer, pl_module)


def cut_after_four_steps(configure: Configure, *options: str) -> None:
    with pytest.raises(InterruptedError):
        Run(configure(*CUT, *options), StopAfter(5)).fit()


def go_on(configure: Configure, *options: str, callbacks: tuple[L.Callback, ...] = ()) -> Run:
    cfg = configure(*CUT, *options, "ckpt_path=last")
    point = resume_point(cfg)
    assert point is not None
    return Run(cfg, *callbacks).fit(point.path)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ("sampler.alpha=1", "sampler.alpha=0.5", {"monolingual", "crosslingual"}),
        ("sampler.alpha=0", "sampler.alpha=1", {"monolingual"}),
        ("data.languages=[de,en]", "data.languages=[de,en,es]", {"monolingual", "crosslingual"}),
    ],
)
def test_sums_of_other_kinds_or_languages_are_not_taken_over(
    configure: Configure, before: str, after: str, kinds: set[str]
) -> None:
    cut_after_four_steps(configure, before)
    averages = Averages()
    run = go_on(configure, after, "resume_changes=[sampler,data]", callbacks=(averages,))
    first, _ = averages.epochs
    rest = [run.datamodule.plan.epoch(0)[step] for step in (4, 5)]
    assert first["train_epoch/loss"] == pytest.approx(sum(averages.losses[:2]) / 2)
    for kind in kinds:
        drawn = sum(batch.kind == kind for batch in rest) / len(rest)
        assert first[f"train_epoch/share/{kind}"] == drawn
    assert {name.split("/")[2] for name in first if name.startswith("train_epoch/share/")} == {
        *kinds, "question", "passage"
    }  # fmt: skip


def test_sums_of_the_same_kinds_are_taken_over(configure: Configure, tmp_path: Path) -> None:
    whole, rest = Averages(), Averages()
    Run(configure(*CUT, run="whole"), whole).fit()
    cut_after_four_steps(configure)
    go_on(configure, callbacks=(rest,))
    assert rest.epochs == whole.epochs and len(rest.epochs) == 2


def test_checkpoint_of_an_earlier_version_is_named_so(configure: Configure, tmp_path: Path) -> None:
    """Also where its configuration lacks keys, which no values of config.yaml could bring back."""
    cut_after_four_steps(configure)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    content: dict[str, Any] = torch.load(last, weights_only=True)
    state = content["HybridDataModule"]
    del state["corpora"], state["world_size"], content["hyper_parameters"]["seed"]
    torch.save(content, last)
    with pytest.raises(ValueError, match=r"earlier version of hybrid_ir and holds no corpora, world_size: .*evaluate"):
        go_on(configure)
    with pytest.raises(ValueError, match="earlier version of hybrid_ir and holds no corpora, world_size"):
        position_after(state, {})


def test_value_that_the_checkpoint_lacks_is_said_to_be_absent(configure: Configure) -> None:
    before = OmegaConf.to_container(configure(), resolve=True)
    assert isinstance(before, dict)
    with pytest.raises(ValueError, match=r"trainer.limit_train_batches=5 \(not in the checkpoint\)"):
        check_resume(configure("+trainer.limit_train_batches=5"), before)


def test_field_that_came_after_the_checkpoint_had_its_default(configure: Configure) -> None:
    before = OmegaConf.to_container(configure(), resolve=True)
    assert isinstance(before, dict)
    for group, field in (("data", "on_leakage"), ("data", "on_shared_passages"), ("loss", "temperature")):
        del before[group][field]
    del before["sampler"]["weights"], before["model"]["reinit_layers"], before["teacher"]
    check_resume(configure(), before)
    with pytest.raises(ValueError, match=r"other values than this run's: data.on_leakage=drop \(was stop\); resume"):
        check_resume(configure("data.on_leakage=drop"), before)


def test_config_file_says_what_runs_after_a_change(configure: Configure, tmp_path: Path) -> None:
    def alpha(name: str) -> float:
        value: float = yaml.safe_load((tmp_path / "run" / name).read_text())["sampler"]["alpha"]
        return value

    cut_after_four_steps(configure, "sampler.alpha=0.5")
    with pytest.raises(ValueError, match=r"sampler.alpha=0.4 \(was 0.5\)"):
        go_on(configure, "sampler.alpha=0.4")
    assert alpha("config.yaml") == 0.5
    go_on(configure, "sampler.alpha=0.4", "resume_changes=[sampler.alpha]")
    assert (alpha("config.yaml"), alpha("config.started.yaml")) == (0.4, 0.5)
    longer = [option for option in CUT if "max_epochs" not in option]
    changed = ("sampler.alpha=0.3", "trainer.max_epochs=3", "resume_changes=[sampler.alpha]", "ckpt_path=last")
    cfg = configure(*longer, *changed)
    Run(cfg).fit(getattr(resume_point(cfg), "path", None))
    assert (alpha("config.yaml"), alpha("config.started.yaml")) == (0.3, 0.5)
