"""The presets of `debug=`, run for real."""

from pathlib import Path

import pytest

from tests.training.conftest import Configure, Run
from tests.training.probes import Recorder


def test_overfitting_sees_one_batch_only_and_learns_it(configure: Configure) -> None:
    seen = Recorder()
    options = ["trainer.max_epochs=30", "eval.every_n_epochs=30", "optim.learning_rate=2e-2"]
    Run(configure("debug=overfit", *options), seen).fit()
    texts = {str(entry[1:-1]) for entry in seen.batches}
    assert len(seen.batches) == 30 and len(texts) == 1
    assert seen.batches[-1][-1] < 0.2 * seen.batches[0][-1]  # losses


@pytest.mark.parametrize(("preset", "file"), [("profiler", "*simple*.txt"), ("profiler_torch", "*operators*.txt")])
def test_profilers_leave_a_table_in_the_runs_folder(
    configure: Configure, tmp_path: Path, preset: str, file: str
) -> None:
    Run(configure(f"debug={preset}", "trainer.max_epochs=1")).fit()
    (table,) = (tmp_path / "run" / "profile").glob(file)
    assert "run_training_batch" in table.read_text() or "aten::" in table.read_text()
