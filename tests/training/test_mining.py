"""From a checkpoint to hard negatives to the next run."""

import json
from pathlib import Path
from typing import Any

import lightning as L
import pytest

from hybrid_ir.training.tokenised_batch import TokenisedBatch
from tests.commands import run_command, run_program
from tests.training.conftest import Configure, Run


class Negatives(L.Callback):
    """Counts the hard negatives of every batch."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: TokenisedBatch, batch_idx: int
    ) -> None:
        assert batch.negative_groups is not None
        self.counts.append(int((batch.negative_groups >= 0).sum()))


def test_mined_negatives_are_trained_on(configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands, from a checkpoint to negatives to a training run; twice the same bytes."""
    Run(configure("trainer.max_steps=3", "eval.at_start=false", run="first")).fit()
    corpus = f"data.corpora.parallel_jsonl.path={tmp_path / 'corpus.jsonl'}"
    command = [f"checkpoint={tmp_path / 'first'}", "data=parallel_jsonl", corpus, "device=cpu", "mining.count=2"]
    command += ["mining.max_score_ratio=null"]  # three steps teach the encoder nothing
    command += [f"paths.outputs={tmp_path / 'outputs'}", f"paths.cache={tmp_path / 'cache'}"]
    assert run_command(monkeypatch, "hybrid_ir/commands/mine.py", *command, f"out={tmp_path}/one.jsonl") == 0
    # Hashes of texts differ between processes that started by themselves.
    done = run_program("-m", "hybrid_ir", "mine", *command, f"out={tmp_path}/two.jsonl", folder=tmp_path)
    assert done.returncode == 0 and "taken" in done.stdout and "48 examples" in done.stdout, done.stderr
    one = (tmp_path / "one.jsonl").read_bytes()
    assert one == (tmp_path / "two.jsonl").read_bytes()
    note = json.loads((tmp_path / "one.provenance.json").read_text())
    assert len(note["model"]["weights"]) == 64 and note["counts"]["taken"] + note["counts"]["missing"] == 2 * 48 * 3
    for record in map(json.loads, one.splitlines()):
        assert not {json.dumps(negative) for negative in record["negatives"]} & {
            json.dumps({code: text}) for code, text in record["passage"].items()
        }

    counter, mined = Negatives(), f"data.corpora.parallel_jsonl.path={tmp_path / 'one.jsonl'}"
    Run(configure("data.negatives=2", "trainer.max_steps=3", "eval.at_start=false", mined, run="next"), counter).fit()
    assert len(counter.counts) == 3 and min(counter.counts) == 16
