"""Several processes train as one: the same batches, losses, gradients, weights and metrics."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from omegaconf import DictConfig

from hybrid_ir.training.callbacks.progress import RATES
from tests.processes import run_processes
from tests.training.conftest import Configure, Run
from tests.training.probes import Gradients, every_steps

STEPS, BATCH, NEGATIVES = 5, 16, 1  # examples 0 and 1 share their passage, so some batch has a false negative
OPTIONS = (
    "eval=[]",
    "trainer.max_epochs=1",
    f"data.batches_per_epoch={STEPS}",
    f"data.batch_size={BATCH}",
    "data.negatives=2",  # each example brings one: half of the slots are empty
    "loss.learn_temperature=true",
    "optim.eps=1e-4",  # Adam would blow up what rounding leaves of gradients that are zero
)
CACHED = ("model.gradient_cache=true", "model.max_tokens=128")
CASES = {
    "mono": ("sampler=mono",),
    "cross": ("sampler=cross", "loss.symmetric=true"),
    "hard": ("sampler=mono", "loss.negatives=hard", "loss.temperature=1"),  # Equation 1 of the paper, as printed
    "mono-cached": ("sampler=mono", *CACHED),
    "cross-cached": ("sampler=cross", "loss.symmetric=true", *CACHED),
}


class Record(Gradients):
    """Also keeps the batches and losses of this rank."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[str, list[str], float]] = []

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.batches.append((batch.kind, list(batch.example_ids), float(outputs["loss"])))


def train(cfg: DictConfig, file: Path, checkpoint: Path | None = None, *callbacks: L.Callback) -> None:
    """Fit, and leave what was seen and learned in `file`."""
    record = Record()
    run = Run(cfg, record, *callbacks).fit(checkpoint)
    metrics = {name: float(value) for name, value in run.trainer.callback_metrics.items() if name not in RATES}
    weights = {name: weight.detach() for name, weight in run.module.named_parameters()}
    torch.save({"batches": record.batches, "gradients": record.steps, "metrics": metrics, "weights": weights}, file)


def train_each(rank: int, world_size: int, cases: dict[str, DictConfig], folder: Path) -> None:
    for name, cfg in cases.items():
        train(cfg, folder / f"{name}-{rank}-of-{world_size}.pt")


def relative_error(found: torch.Tensor, expected: torch.Tensor, least: float) -> float:
    """Length of the difference by the length of what is expected, or by `least`.

    A gradient of nearly zero is a sum of terms that cancel and keeps their rounding: the temperature's, or the bias of
    attention's keys, which has none at all.
    """
    return float((found - expected).norm() / expected.norm().clamp(min=least))


def test_processes_train_as_one(configure: Configure, tmp_path: Path) -> None:
    """Four processes: tests/losses/test_losses.py, and the slices of the plan."""
    world_size = 2
    plain = {name: options for name, options in CASES.items() if "cached" not in name}
    train_each(0, 1, {name: configure(*OPTIONS, *options, run=name) for name, options in plain.items()}, tmp_path)
    ranks = ("trainer=ddp_cpu", f"trainer.devices={world_size}")
    together = {name: configure(*OPTIONS, *options, *ranks, run=f"{name}-n") for name, options in CASES.items()}
    run_processes(train_each, world_size, tmp_path, together, tmp_path)

    for case in CASES:
        one = torch.load(tmp_path / f"{case.removesuffix('-cached')}-0-of-1.pt")
        found = [torch.load(tmp_path / f"{case}-{rank}-of-{world_size}.pt") for rank in range(world_size)]
        assert len(one["batches"]) == len(one["gradients"]) == STEPS
        for (kind, ids, loss), *slices in zip(one["batches"], *(rank["batches"] for rank in found), strict=True):
            assert {part[0] for part in slices} == {kind}
            assert [name for part in slices for name in part[1]] == ids and len(set(ids)) == BATCH
            assert sum(part[2] for part in slices) / world_size == pytest.approx(loss, rel=1e-5)
        for rank in found:
            for step, (expected, gradients) in enumerate(zip(one["gradients"], rank["gradients"], strict=True)):
                assert gradients.keys() == expected.keys() and "loss.log_scale" in gradients
                for name, gradient in expected.items():
                    assert relative_error(gradients[name], gradient, least=0.1) < 1e-5, (case, step, name)
            for name, weight in one["weights"].items():
                assert relative_error(rank["weights"][name], weight, least=0.01) < 1e-5, (case, name)
            assert rank["metrics"] == found[0]["metrics"]
            assert rank["metrics"] == pytest.approx(one["metrics"], rel=1e-5, abs=1e-6)
        negatives, masked = (one["metrics"][f"train_epoch/{name}"] for name in ("negatives", "masked_negatives"))
        compared = BATCH * NEGATIVES if case == "hard" else BATCH * (1 + NEGATIVES) - 1
        assert negatives + masked == pytest.approx(compared) and (masked > 0) == (case != "hard")


def resume_in_the_middle(rank: int, world_size: int, cases: dict[str, DictConfig], folder: Path) -> None:
    train(cases["whole"], folder / f"whole-{rank}.pt", None, every_steps(folder / "ckpt", 3))
    train(cases["resumed"], folder / f"resumed-{rank}.pt", folder / "ckpt" / "step=3.ckpt")


def test_epoch_resumed_by_two_processes_reports_the_whole_epoch(configure: Configure, tmp_path: Path) -> None:
    options = (*OPTIONS, "sampler=hybrid", "trainer=ddp_cpu", "model.dropout=0.1")
    cases = {name: configure(*options, run=name) for name in ("whole", "resumed")}
    run_processes(resume_in_the_middle, 2, tmp_path, cases, tmp_path)
    for rank in range(2):
        whole, resumed = (torch.load(tmp_path / f"{name}-{rank}.pt") for name in ("whole", "resumed"))
        assert resumed["batches"] == whole["batches"][3:]
        assert resumed["metrics"] == whole["metrics"] and "train_epoch/share/question/de" in whole["metrics"]
        for name, weight in whole["weights"].items():
            assert torch.equal(resumed["weights"][name], weight), name


def test_zero_shot_values_of_two_processes_are_those_of_one(configure: Configure, tmp_path: Path) -> None:
    """The full benchmark at the end, its subset every few steps."""
    options = ("trainer.max_epochs=1", "eval.every_n_steps=4", "eval.subset.queries=2", "eval.subset.passages=3")
    train(configure(*options, run="alone"), tmp_path / "alone.pt")
    together = {"zero_shot": configure(*options, "trainer=ddp_cpu", run="together")}
    run_processes(train_each, 2, tmp_path, together, tmp_path)
    one = torch.load(tmp_path / "alone.pt")["metrics"]
    ranks = [torch.load(tmp_path / f"zero_shot-{rank}-of-2.pt")["metrics"] for rank in range(2)]
    assert ranks[0] == ranks[1]
    names = {name for name in one if name.startswith("world")}
    assert {"world/multilingual/map", "world_subset/multilingual/map"} <= names
    for name in names:
        assert ranks[0][name] == pytest.approx(one[name], rel=1e-4), name
