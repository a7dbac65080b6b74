"""Two processes train as one."""

import json
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from .conftest import Configure, Run

STEPS = 6


class WriteDown(L.Callback):
    """Each rank writes the batches it trained on and, at the end, the metrics that do not stand for its own rows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.batches = folder, []

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.batches.append([batch.kind, list(batch.example_ids)])

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if "train/" not in name}
        self.folder.mkdir(exist_ok=True)
        content = {"batches": self.batches, "metrics": metrics}
        (self.folder / f"{trainer.global_rank}.json").write_text(json.dumps(content))


@pytest.mark.parametrize("sampler", ["mono", "cross"])
@pytest.mark.parametrize("memory", [[], ["model.gradient_cache=true", "model.max_tokens=128"]], ids=["plain", "cached"])
def test_two_processes_train_as_one(configure: Configure, tmp_path: Path, sampler: str, memory: list[str]) -> None:
    options = (f"sampler={sampler}", "trainer.max_epochs=1", "data.negatives=1", "loss.learn_temperature=true")
    options += ("eval.every_n_steps=4", "eval.subset.queries=2", "eval.subset.passages=3")
    alone = Run(configure(*options, run="alone"), WriteDown(tmp_path / "alone_seen")).fit()
    # The launcher of trainer=ddp_cpu starts this program anew, which pytest cannot bear; processes are forked instead.
    forked = ("trainer=ddp_cpu", "trainer.strategy._target_=lightning.pytorch.strategies.DDPStrategy",
              "+trainer.strategy.start_method=fork")  # fmt: skip
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a forked child hangs in OpenMP otherwise
    together = Run(configure(*options, *forked, *memory, run="together"), WriteDown(tmp_path / "seen")).fit()

    torch.set_num_threads(threads)
    one = json.loads((tmp_path / "alone_seen" / "0.json").read_text())
    ranks = [json.loads((tmp_path / "seen" / f"{rank}.json").read_text()) for rank in range(2)]
    assert len(one["batches"]) == STEPS
    for (kind, ids), *slices in zip(one["batches"], *(rank["batches"] for rank in ranks), strict=True):
        assert [part[0] for part in slices] == [kind, kind]
        assert [*slices[0][1], *slices[1][1]] == ids
        assert len(set(ids)) == len(ids) == 8
    assert ranks[0]["metrics"] == ranks[1]["metrics"]
    assert {"world/multilingual/map", "world_subset/multilingual/map"} <= one["metrics"].keys()
    for name, value in one["metrics"].items():
        assert ranks[0]["metrics"][name] == pytest.approx(value, rel=1e-4), name
    for name, value in alone.module.state_dict().items():
        torch.testing.assert_close(together.module.state_dict()[name], value, rtol=1e-4, atol=1e-6)
