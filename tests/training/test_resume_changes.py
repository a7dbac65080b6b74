"""A run that resumes under other values: a longer schedule, another plan, other languages, an earlier version."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import yaml

from hybrid_ir.training.compatibility import position_after
from tests.training.conftest import Configure, Run
from tests.training.probes import At, Recorder, content, interrupt, resume

CUT = ("sampler=hybrid", "trainer.max_epochs=2", "eval=[]", "callbacks.last.every_n_steps=4")


def cut_after_four_steps(configure: Configure, *options: str) -> None:
    with pytest.raises(InterruptedError):
        Run(configure(*CUT, *options), At("on_train_batch_start", 5, interrupt)).fit()


@pytest.mark.parametrize(
    ("short", "long", "steps"), [("max_epochs=1", "max_epochs=3", 6), ("max_steps=9", "max_steps=16", 9)]
)
def test_longer_run_follows_the_longer_schedule(configure: Configure, short: str, long: str, steps: int) -> None:
    class Rates(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.rates: list[float] = []

        def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
            self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    options, whole, rest = ("trainer.max_epochs=9", "eval=[]"), Rates(), Rates()
    Run(configure(*options, f"trainer.{long}", run="whole"), whole).fit()
    Run(configure(*options, f"trainer.{short}", run="cut")).fit()
    resume(configure, *options, f"trainer.{long}", run="cut", callbacks=(rest,))
    assert rest.rates == whole.rates[steps:]
    assert [entry[1:5] for entry in rest.batches] == [entry[1:5] for entry in whole.batches[steps:]]


def test_changes_on_request_take_the_new_plan_from_the_position_on(configure: Configure) -> None:
    changed = ("seed=2", "sampler.alpha=1.0", "optim.learning_rate=1e-4", "optim.weight_decay=0.5")
    cut_after_four_steps(configure)
    with pytest.raises(ValueError, match=r"optim.weight_decay=0.5 .was 0.01., sampler.alpha=1.0 .was 0.5., seed=2"):
        resume(configure, *CUT, *changed, "resume_changes=[optim.learning_rate]")
    rest = Recorder()
    run = resume(configure, *CUT, *changed, "resume_changes=[seed,sampler,optim]", callbacks=(rest,))
    plan, corpus = run.datamodule.plan, run.datamodule.training[0]
    planned = [plan.epoch(0)[step] for step in (4, 5)] + [plan.epoch(1)[step] for step in range(6)]
    assert [entry[2] for entry in rest.batches] == [tuple(corpus.example_ids(batch.examples)) for batch in planned]
    assert {entry[1] for entry in rest.batches} == {"monolingual"}
    matrices, others = run.trainer.optimizers[0].param_groups
    assert (matrices["initial_lr"], matrices["weight_decay"], others["weight_decay"]) == (1e-4, 0.5, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ("sampler.alpha=0", "sampler.alpha=1", {"monolingual"}),
        ("data.languages=[de,en]", "data.languages=[de,en,es]", {"monolingual", "crosslingual"}),
    ],
)
def test_sums_of_other_kinds_or_languages_are_not_taken_over(
    configure: Configure, before: str, after: str, kinds: set[str]
) -> None:
    cut_after_four_steps(configure, before)
    rest = Recorder()
    changes = ("trainer.max_epochs=1", "resume_changes=[sampler,data]")
    run = resume(configure, *(one for one in CUT if "epochs" not in one), after, *changes, callbacks=(rest,))
    found = {name: float(value) for name, value in run.trainer.callback_metrics.items()}
    assert len(rest.batches) == 2 and found["train_epoch/loss"] == pytest.approx(sum(rest.losses) / 2)
    shares = {f"train_epoch/share/{kind}": sum(entry[1] == kind for entry in rest.batches) / 2 for kind in kinds}
    others = ("train_epoch/share/question", "train_epoch/share/passage")
    assert shares == {
        name: value for name, value in found.items() if name.startswith("train_epoch/share") and
        not name.startswith(others)
    }  # fmt: skip


def test_config_file_says_what_runs_after_a_change_and_an_earlier_version_is_named(
    configure: Configure, tmp_path: Path
) -> None:
    def alpha(name: str) -> float:
        value: float = yaml.safe_load((tmp_path / "run" / name).read_text())["sampler"]["alpha"]
        return value

    cut_after_four_steps(configure, "sampler.alpha=0.5")
    with pytest.raises(ValueError, match=r"sampler.alpha=0.4 \(was 0.5\)"):
        resume(configure, *CUT, "sampler.alpha=0.4")
    assert alpha("config.yaml") == 0.5
    resume(configure, *CUT, "sampler.alpha=0.4", "resume_changes=[sampler.alpha]")
    assert (alpha("config.yaml"), alpha("config.started.yaml")) == (0.4, 0.5)
    longer = (*(option for option in CUT if "max_epochs" not in option), "trainer.max_epochs=3")
    resume(configure, *longer, "sampler.alpha=0.3", "resume_changes=[sampler.alpha]")
    assert (alpha("config.yaml"), alpha("config.started.yaml")) == (0.3, 0.5)

    # Also where its configuration lacks keys, which no values of config.yaml could bring back.
    old = content(tmp_path / "run")
    state = old["HybridDataModule"]
    del state["corpora"], state["world_size"], old["hyper_parameters"]["seed"]
    torch.save(old, tmp_path / "run" / "checkpoints" / "last.ckpt")
    with pytest.raises(ValueError, match=r"earlier version of hybrid_ir and holds no corpora, world_size: .*evaluate"):
        resume(configure, *longer, "sampler.alpha=0.3")
    with pytest.raises(ValueError, match="earlier version of hybrid_ir and holds no corpora, world_size"):
        position_after(state, {})
