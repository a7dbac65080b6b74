"""Folders of new runs: each process gets its own, however many start in one second."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from hybrid_ir.launch.cli import register_resolvers
from hybrid_ir.launch.help import CONF
from hybrid_ir.launch.run_folder import new_folder
from hybrid_ir.launch.sweep_callback import SweepCallback
from tests.config.test_processes import TORCHRUN, start


def test_all_that_start_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(new_folder, [tmp_path / "demo" / "now"] * 64))
    assert len({*made}) == 64 and {path.name for path in made} == {"now", *(f"now_{n}" for n in range(2, 65))}


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("x")
    with pytest.raises(ValueError, match="demo is a file"):
        new_folder(tmp_path / "demo" / "now")


@pytest.mark.parametrize("program", ["train", "evaluate", "index", "mine", "export"])
def test_every_command_claims_its_folder_unless_it_was_given(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claimed(*words: str) -> Path:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = compose(program, [f"paths.outputs={tmp_path}", *words], return_hydra_config=True)
        SweepCallback().on_run_start(cfg)
        return Path(cfg.hydra.run.dir)

    register_resolvers()
    monkeypatch.setattr("time.strftime", lambda _: "now")
    assert [claimed().name for _ in range(3)] == ["now", "now_2", "now_3"]
    given = tmp_path / "given"
    assert claimed(f"hydra.run.dir={given}") == given and not given.exists()
    start(monkeypatch, TORCHRUN)
    assert [claimed().name for _ in range(2)] == ["torchrun-job"] * 2  # ranks of one job share theirs
