"""Killed anywhere and resumed, a run ends where the uninterrupted one does, bit by bit, whatever it trains with."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from tests.commands import SECONDS, program
from tests.training.conftest import Configure, Run, tiny_data, tiny_runs
from tests.training.probes import Recorder, assert_same_end, every_steps

BASE = ("sampler=hybrid", "model.dropout=0.1", "eval.at_start=false")
LONG = "trainer.max_epochs=3"  # else two, of six batches each
FEATURES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {  # overrides, and after which steps the run is cut
    "plain": ((LONG,), (4, 6, 9)),  # in the first epoch, at its end, in the second
    "workers, schedules, weights, learned temperature": (
        (LONG, "data.num_workers=2", "sampler/schedule=linear", "sampler.alpha=0", "sampler.weights.question={de: 3}",
         "loss.learn_temperature=true", "loss.symmetric=true", "optim.schedule=cosine"), (9,),
    ),
    "steps bound the run": ((LONG, "trainer.max_steps=15"), (8,)),
    "negatives, cached, accumulated": (
        ("data.negatives=1", "model.gradient_cache=true", "model.max_tokens=96", "trainer.accumulate_grad_batches=2"),
        (2, 4),
    ),
    "LoRA, bfloat16": (
        ("model.lora.rank=3", "model.lora.dropout=0.2", "optim.learning_rate=1e-2", "trainer.precision=bf16-mixed",
         "data.temperature=2", "data.languages=[de,en]"), (7,),
    ),
    "pooled": (("loss=pooled", "loss.languages=3", "data.num_workers=2"), (4,)),
    "language": (("loss=language_contrastive", "loss.semantic_weight=0.1"), (4,)),
    "distillation": (("loss=distillation", "teacher.checkpoint=TEACHER"), (4,)),
    "validation corpus": (
        ("data/validation=parallel_jsonl", "sampler@data.validation.sampler=cross", "callbacks=validation_loss",
         "data.validation.corpora.parallel_jsonl.path=${data.corpora.parallel_jsonl.path}", "optimized_metric=null"),
        (4,),
    ),
    "subset, holdout": (
        ("eval.every_n_steps=4", "eval.subset.queries=2", "eval.subset.passages=3", "data.holdout=10",
         "data.mapped=false", "callbacks=validation_loss", "optimized_metric=null"), (4, 5),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose encoder has another width and other tokens."""
    folder = tmp_path_factory.mktemp("teacher")
    other = ("model.scratch.hidden_size=48", "model.scratch.vocab_size=300", "trainer.max_steps=2", "eval=[]")
    Run(tiny_runs(folder)(*other)).fit()
    return folder / "run"


def evaluations(run: Path) -> dict[str, dict[str, float]]:
    """Metrics of every evaluation, the subset's included."""
    return {path.name: json.loads(path.read_text())["metrics"] for path in (run / "evaluations").iterdir()}


def averages(run: Run) -> dict[str, float]:
    """Of the last epoch."""
    logged = run.trainer.callback_metrics.items()
    return {name: float(value) for name, value in logged if name.startswith("train_epoch/")}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_resumed_run_equals_the_uninterrupted_one(
    feature: str, configure: Configure, teacher: Path, tmp_path: Path
) -> None:
    overrides, cuts = FEATURES[feature]
    options = [*BASE, *(one.replace("TEACHER", str(teacher)) for one in overrides)]
    whole = Recorder()
    saved = [every_steps(tmp_path / str(cut), cut) for cut in cuts]
    reference = Run(configure(*options, run="whole"), whole, *saved).fit()
    batches_per_step = reference.trainer.accumulate_grad_batches
    for cut in cuts:
        rest, name = Recorder(), f"rest-{cut}"
        resumed = Run(configure(*options, run=name), rest).fit(tmp_path / str(cut) / f"step={cut}.ckpt")
        assert whole.batches[cut * batches_per_step :] == rest.batches and rest.batches  # ids, languages, losses
        for parameter, value in reference.module.state_dict().items():
            assert torch.equal(value, resumed.module.state_dict()[parameter]), parameter
        assert averages(resumed) == averages(reference)  # also of an epoch that was cut
        assert_same_end(tmp_path / name, tmp_path / "whole")
        expected = evaluations(tmp_path / "whole")
        for file, metrics in evaluations(tmp_path / name).items():
            assert metrics == expected[file], file


class Tell(L.Callback):
    """Prints every step's loss as it comes, and the end of every epoch before its evaluation."""

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        step = (trainer.current_epoch, batch_idx)
        print("TOLD", json.dumps([os.getpid(), step, batch.example_ids, outputs["loss"].item()]), flush=True)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        print("TOLD", json.dumps([os.getpid()]), flush=True)


def test_killed_again_and_again_a_run_ends_as_if_nothing_had_been(configure: Configure, tmp_path: Path) -> None:
    """SIGKILL from outside, whenever the news of a step arrives: in the next step, a saving or an evaluation."""
    whole, options = Recorder(), [*BASE, LONG, "data.num_workers=2", "callbacks.last.every_n_steps=2"]
    Run(configure(*options, run="whole"), whole).fit()
    command = ["train.py", *tiny_data(tmp_path), *options, "name=killed", f"paths.outputs={tmp_path / 'outputs'}"]
    command += [f"paths.cache={tmp_path / 'cache'}", "+callbacks.tell._target_=tests.contracts.test_resume.Tell"]
    told: dict[tuple[int, int], set[tuple]] = {}
    for kill_after in (4, "epoch", None):  # messages
        started, settings = program(*command, *(["ckpt_path=last"] if told else []), folder=tmp_path)
        with subprocess.Popen(started, **settings, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = (line for line in process.stdout if line.startswith("TOLD"))
            for number, line in enumerate(lines, start=1):
                pid, *message = json.loads(line.removeprefix("TOLD"))
                if message:
                    step, ids, loss = message
                    told.setdefault(tuple(step), set()).add((tuple(ids), loss))
                if kill_after == number or (kill_after == "epoch" and not message):
                    os.kill(pid, signal.SIGKILL)
            assert process.wait(SECONDS) == (0 if kill_after is None else -signal.SIGKILL)
    assert [len(seen) for seen in told.values()] == [1] * 18  # a step done twice was the same twice
    assert [next(iter(told[step])) for step in sorted(told)] == [(entry[2], entry[-1]) for entry in whole.batches]
    (killed,) = (tmp_path / "outputs" / "killed").iterdir()
    assert_same_end(killed, tmp_path / "whole")
    assert {path.name for path in (killed / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt", "previous.ckpt"}
