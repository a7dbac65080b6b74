"""The entry points as programs of their own: train.py, evaluate.py and the report on what they wrote."""

import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from hybrid_ir.commands.report import main as report
from hybrid_ir.evaluation.benchmarks.lareqa import load_lareqa
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.reports.arms import group_runs
from hybrid_ir.reports.runs import find_results, read_runs
from hybrid_ir.sources.formats.trec_run import read_run
from tests.commands import SECONDS, program, run_program
from tests.evaluation.benchmarks.miracl_files import write_miracl
from tests.evaluation.samples import write_qrels
from tests.training.conftest import TINY
from tests.worlds import write_corpus, write_lareqa


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    """Overrides of a run on made-up data."""
    write_lareqa(tmp_path / "data" / "world")
    corpus = write_corpus(tmp_path / "corpus.jsonl")
    places = [f"paths.data={tmp_path / 'data'}", f"paths.outputs={tmp_path / 'outputs'}"]
    return [*TINY, *places, f"data.corpora.parallel_jsonl.path={corpus}", "name=tiny", "trainer.max_epochs=1"]


def test_train_resume_evaluate_report(tiny: list[str], tmp_path: Path) -> None:
    first = run_program("train.py", *tiny, folder=tmp_path, cold=True)
    assert first.returncode == 0, first.stderr
    (run,) = (tmp_path / "outputs" / "tiny").iterdir()
    again = run_program("train.py", *tiny, "trainer.max_epochs=2", "ckpt_path=last", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert [path.name for path in sorted((run / "evaluations").iterdir())] == [
        "step_000000.json", "step_000006.json", "step_000012.json"
    ]  # fmt: skip
    assert list((tmp_path / "outputs" / "tiny").iterdir()) == [run]  # it went on in its own folder
    choice = ["eval=xquad_r", "eval.benchmarks.xquad_r.name=world", "eval.benchmarks.xquad_r.folder=world"]
    places = [override for override in tiny if override.startswith("paths.")]
    judged = run_program("evaluate.py", f"checkpoint={run}", *choice, *places, "name=judged", folder=tmp_path)
    assert judged.returncode == 0, judged.stderr
    (corpus,) = read_results(run / "results.json").provenance["corpora"].values()
    assert corpus == {"languages": ["de", "en", "es"], "examples": 48, "notes": []}
    stored = read_results(next((tmp_path / "outputs" / "judged").glob("*/results.json"))).provenance["model"]
    assert stored == read_results(run / "results.json").provenance["model"] and len(stored["weights"]) == 64
    (arm,) = group_runs([read_runs(find_results(tmp_path / "outputs" / "judged"))[0], *read_runs(find_results(run))])
    assert (arm.sampler, arm.alpha, len(arm.repeats)) == ("hybrid", 0.5, 1)  # a checkpoint counts as what trained it
    assert [one.results.provenance["step"] for one in (*arm.runs, *arm.repeats)] == [12, 12]
    assert [one.results.provenance["epoch"] for one in (*arm.runs, *arm.repeats)] == [2, 2]
    place = tmp_path / "report"
    table, differences, *_ = report([str(run), str(tmp_path / "outputs" / "judged"), "--out", str(place)]).split("\n\n")
    assert (place / "report.html").exists()
    rows = table.splitlines()[2:]
    assert len(rows) == 2
    assert rows[0].split("|")[2:] == rows[1].split("|")[2:]  # the same numbers, by training and from the checkpoint
    assert "world/multilingual/map | +0.0000 " in differences


def test_baseline_and_its_run_judged_from_files(tiny: list[str], tmp_path: Path) -> None:
    choice = ["eval=xquad_r", "eval.benchmarks.xquad_r.name=world", "eval.benchmarks.xquad_r.folder=world"]
    places = [override for override in tiny if override.startswith("paths.")]
    done = run_program("evaluate.py", "baseline=bm25", "eval.save_runs=10", *choice, *places, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "outputs" / "evaluate-bm25").iterdir()
    stored = read_results(folder / "results.json")
    assert stored.provenance["model"]["baseline"] == "bm25"
    benchmark = load_lareqa("world", root=str(tmp_path / "data"), folder="world")
    write_qrels(tmp_path / "world.qrels", benchmark)
    files = [f"run={folder}/runs/world.multilingual.trec", f"qrels={tmp_path}/world.qrels", "run_measures=[recall@10]"]
    judged = run_program("evaluate.py", *files, *places, "name=judged", folder=tmp_path)
    assert judged.returncode == 0, judged.stderr
    (other,) = (tmp_path / "outputs" / "judged").iterdir()
    found = read_results(other / "results.json").metrics["world/run/recall@10"]
    assert found == pytest.approx(stored.metrics["world/multilingual/recall@10"])
    wrong = run_program("evaluate.py", f"run={tmp_path}/world.qrels", *files[1:], *places, folder=tmp_path)
    assert wrong.returncode == 1
    assert "world.qrels:1: expected 6 columns" in wrong.stderr and "Traceback" not in wrong.stderr


def test_processes_share_a_corpus_on_disk(tiny: list[str], tmp_path: Path) -> None:
    """`evaluate.py` under torchrun: two processes find, from one store, what one finds with a store of its own."""
    write_miracl(tmp_path / "data" / "toy", passages=100)
    part = [
        f"eval.benchmarks.miracl.{item}" for item in ("name=toy", "folder=toy", "languages=[en,sw]", "block_size=16")
    ]
    places = [override for override in tiny if override.startswith("paths.")]
    command = ["evaluate.py", "baseline=random", "eval=miracl", *part, *places, "device=cpu", "eval.save_runs=7"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    for name, launcher in (("one", []), ("two", torchrun)):
        done = run_program(*launcher, *command, f"name={name}", f"paths.cache={tmp_path / name}", folder=tmp_path)
        assert done.returncode == 0, done.stderr
    one, two = (
        json.loads(next((tmp_path / "outputs" / name).glob("*/results.json")).read_text()) for name in ("one", "two")
    )
    assert one["metrics"] == two["metrics"] and "toy/monolingual/ndcg@10/sw" in one["metrics"]
    runs = [
        read_run(next((tmp_path / "outputs" / name).glob("*/runs/toy.monolingual.trec"))) for name in ("one", "two")
    ]
    assert runs[0] == runs[1] and {len(found) for found in runs[0].values()} == {7}
    assert one["benchmarks"]["toy"]["passages"] == two["benchmarks"]["toy"]["passages"] == {"en": 100, "sw": 100}


def test_quickstart_runs(tmp_path: Path) -> None:
    """The real corpus, benchmark and model of the quickstart, for two steps, under a schedule and with weights."""
    sampler = ["sampler/schedule=linear", "sampler.alpha=0", "sampler.weights.question={de: 2}"]
    done = run_program(
        "train.py", "experiment=quickstart", "debug=fast", *sampler, f"paths.outputs={tmp_path / 'outputs'}",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "cldr" in done.stdout


def test_signal_to_a_whole_job_stops_it_after_a_checkpoint(tiny: list[str], tmp_path: Path) -> None:
    """As a batch system sends it: to both processes of a distributed run, and to their data workers."""
    options = ["trainer=ddp_cpu", "trainer.max_epochs=100000", "data.num_workers=1", "logger=csv"]
    command, settings = program("train.py", *tiny, *options, folder=tmp_path)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **settings, **pipes, start_new_session=True) as job:
        assert job.stdout is not None
        assert any("at step 6 " in line for line in job.stdout), job.stderr
        os.killpg(job.pid, signal.SIGTERM)
        _, errors = job.communicate(timeout=SECONDS)
    assert job.returncode == 143, errors
    assert re.search(r"^stopped by SIGTERM after step \d+, which is saved to .*last.ckpt; resume", errors, re.MULTILINE)
    assert "Traceback" not in errors and "error" not in errors.lower()


def test_sweep_of_several_processes_is_refused(tiny: list[str], tmp_path: Path) -> None:
    sweep = ["sampler.alpha=0,1", "seed=range(1,3)"]
    done = run_program(
        "train.py", "-m", *tiny, "trainer=ddp_cpu", f"hydra.sweep.dir={tmp_path}", *sweep, folder=tmp_path
    )
    assert done.returncode == 1
    assert "-m with 2 processes" in done.stderr and "Traceback" not in done.stderr
    commands = [shlex.split(line) for line in done.stderr.splitlines() if line.startswith("  python train.py ")]
    jobs = [[f"sampler.alpha={alpha}", f"seed={seed}"] for alpha in (0, 1) for seed in (1, 2)]
    assert [command[2:] for command in commands] == [[*tiny, "trainer=ddp_cpu", *job] for job in jobs]
