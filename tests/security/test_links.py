"""Links in folders of somebody else: read, but nothing is written, removed or made where they lead."""

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hybrid_ir.commands.condense import main as condense
from hybrid_ir.commands.report import main as report
from hybrid_ir.launch.sweep_callback import check_before_writing
from hybrid_ir.sources.own_folder import refuse_links
from tests.commands import run_program
from tests.search.corpora import make, rows, write_jsonl
from tests.training.conftest import TINY, Configure
from tests.worlds import write_corpus, write_lareqa


@pytest.fixture
def run(trained: tuple[Configure, Path], tmp_path: Path) -> Path:
    """The folder of a run, as somebody else could send it."""
    return Path(shutil.copytree(trained[1], tmp_path / "run"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder with a file, that nothing may be written to."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "kept.json").write_text("kept")
    return tmp_path / "victim"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("link", ["figures", "report.html", "report.md"])
def test_a_report_is_not_written_over_a_link(run: Path, victim: Path, link: str) -> None:
    (run / link).symlink_to(victim if link == "figures" else victim / "kept.json")
    with pytest.raises(ValueError, match=rf"{link} is a link to .*nothing was written"):
        report([str(run), "--samples", "10"])
    assert names(victim) == ["kept.json"] and (victim / "kept.json").read_text() == "kept"


def test_linked_runs_are_reported_elsewhere_and_beside_their_links(run: Path, tmp_path: Path) -> None:
    """Reading over links is allowed, also if the report is next to them."""
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    (sweep / "first").symlink_to(run)
    before = names(run)
    report([str(sweep / "first"), "--out", str(tmp_path / "out"), "--samples", "10"])
    report([str(sweep / "first" / "results.json"), "--out", str(sweep), "--samples", "10"])
    assert (sweep / "report.html").is_file() and (tmp_path / "out" / "report.html").is_file()
    assert names(run) == before


@pytest.mark.parametrize("link", ["evaluations", "results.json", ""], ids=["folder", "file", "target"])
def test_condensing_writes_and_removes_nothing_over_a_link(run: Path, victim: Path, link: str, tmp_path: Path) -> None:
    target = tmp_path / "out" / "a"
    target.parent.mkdir()
    if link:
        target.mkdir()
    (target / link if link else target).symlink_to(victim if link != "results.json" else victim / "kept.json")
    source = tmp_path / "runs" / "a"
    shutil.copytree(run, source)
    with pytest.raises(ValueError, match=r"is a link to .*nothing was written"):
        condense([str(source.parent), "--out", str(target.parent), "--folder", f"tmp={tmp_path}"])
    assert names(victim) == ["kept.json"] and (victim / "kept.json").read_text() == "kept"


@pytest.mark.parametrize("link", ["texts", "vectors", "vectors/x", "index.json"])
def test_an_index_is_not_made_over_a_link(victim: Path, link: str, tmp_path: Path) -> None:
    out = tmp_path / "index"
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(victim)
    with pytest.raises(ValueError, match=r"is a link to .*nothing was written"):
        make(out, write_jsonl(tmp_path / "corpus.jsonl", rows(7)))
    assert names(victim) == ["kept.json"]


LINKS: dict[str, Callable[[Path], Path]] = {
    "hydra": lambda run: run / ".hydra",
    "overrides": lambda run: run / ".hydra" / "overrides.yaml",
    "log": lambda run: run / "train.log",
    "evaluations": lambda run: run / "evaluations",
    "checkpoints": lambda run: run / "checkpoints" / "last.ckpt",
}


def test_a_run_is_not_resumed_over_a_link(tmp_path: Path, run: Path, victim: Path) -> None:
    """Before Hydra writes: it makes `.hydra/` and the log before the program begins."""
    write_lareqa(tmp_path / "data" / "world")
    corpus = write_corpus(tmp_path / "corpus.jsonl")
    outputs = tmp_path / "outputs" / "tiny"
    command = [
        "train.py", *TINY, f"paths.data={tmp_path / 'data'}", f"paths.outputs={tmp_path / 'outputs'}", "name=tiny",
        f"data.corpora.parallel_jsonl.path={corpus}", "ckpt_path=last",
    ]  # fmt: skip
    shutil.copytree(run, outputs / "2026-01-01_00-00-00")
    link = outputs / "2026-01-01_00-00-00" / "train.log"
    link.symlink_to(victim / "kept.json")
    done = run_program(*command, folder=tmp_path)
    assert done.returncode == 1 and "train.log is a link to" in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert names(victim) == ["kept.json"] and (victim / "kept.json").read_text() == "kept"
    assert not (link.parent / ".hydra").exists()


@pytest.mark.parametrize("place", LINKS.values(), ids=LINKS)
def test_every_link_in_a_run_is_found(run: Path, victim: Path, place: Callable[[Path], Path]) -> None:
    refuse_links(run)
    link = place(run)
    link.parent.mkdir(exist_ok=True)
    shutil.rmtree(link) if link.is_dir() else link.unlink(missing_ok=True)
    link.symlink_to(victim)
    with pytest.raises(ValueError, match="is a link to"):
        refuse_links(run)
    link.unlink()
    os.mkfifo(link)
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        refuse_links(run)


def test_links_of_libraries_stay_within_their_folder(tmp_path: Path, victim: Path) -> None:
    """W&B links to its newest run; the same name leads nowhere else."""
    (tmp_path / "own" / "wandb" / "run-1").mkdir(parents=True)
    (tmp_path / "own" / "wandb" / "latest-run").symlink_to("run-1")
    refuse_links(tmp_path / "own")
    (tmp_path / "linked").symlink_to(tmp_path / "own")  # the way to the folder is the user's
    refuse_links(tmp_path / "linked")
    (tmp_path / "own" / "wandb" / "debug.log").symlink_to(victim / "kept.json")
    with pytest.raises(ValueError, match="is a link to"):
        refuse_links(tmp_path / "own")


@pytest.mark.parametrize(("subfolder", "refused"), [(None, False), (".hydra", True)])
def test_links_of_a_working_folder_matter_only_if_hydra_writes_there(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch, subfolder: str | None, refused: bool
) -> None:
    """`search` and `check` write nothing where they run: often a project with a linked environment."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".venv").symlink_to(victim)
    monkeypatch.chdir(tmp_path / "here")
    cfg = OmegaConf.create({"hydra": {"run": {"dir": "."}, "output_subdir": subfolder}})
    with pytest.raises(SystemExit, match="must not contain links") if refused else nullcontext():
        check_before_writing(cfg, "hydra.run.dir")
