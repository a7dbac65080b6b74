"""Condensed runs: the report of the runs themselves, from a small part of their bytes, without places of a machine."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.commands.condense import main
from hybrid_ir.commands.report import main as report
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES, evaluate
from hybrid_ir.evaluation.results.history import TRAINED, RunHistory
from hybrid_ir.launch.job_record import JobRecord, write_record
from hybrid_ir.reports.condense import PrivatePathError, without_absolute_paths
from hybrid_ir.reports.runs import read_runs
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.untrusted import for_markdown
from tests.reports.conftest import NoisyEncoder, run_writer
from tests.reports.test_contributions import uneven_benchmark


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two values of alpha with two seeds on questions that are not all there in all languages; not to be written to."""
    place = tmp_path_factory.mktemp("uneven")
    write = run_writer(place)
    for number, (alpha, seed) in enumerate((alpha, seed) for alpha in (0.0, 0.5) for seed in (1, 2)):
        run = write(f"sweep/{number}", alpha, seed, benchmark=uneven_benchmark())
        write_record(run, JobRecord([f"paths.data={place}/data"], config=str(number), objective=0.5))
    return place / "sweep"


def condensed(sweep: Path, out: Path) -> Path:
    main([str(sweep), "--out", str(out), "--folder", f"world={sweep.parent}"])
    return out


@pytest.fixture(scope="module")
def small(sweep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep, condensed; not to be written to."""
    return condensed(sweep, tmp_path_factory.mktemp("condensed") / "small")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_report_is_that_of_the_runs(sweep: Path, small: Path, tmp_path: Path) -> None:
    """Arms, numbers, seeds, intervals, tests and curves, as printed; only where the runs are differs."""
    texts, plots = [], []
    for folder in (sweep, small):
        out = tmp_path / f"report-{folder.name}"
        report([str(folder), "--out", str(out), "--samples", "300"])
        texts.append((out / "report.md").read_text(encoding="utf-8").replace(for_markdown(str(folder)), "HERE"))
        plots.append(contents(out / "figures"))
    assert texts[0] == texts[1]
    assert "95% percentile bootstrap" in texts[0] and "Learning curves" in texts[0] and "Holm-adjusted" in texts[0]
    assert plots[0] == plots[1]


def test_no_place_of_the_machine_is_left(sweep: Path, small: Path) -> None:
    found = contents(small)
    assert len(found) == 4 * 6  # results, query groups, record, three evaluations
    assert not [name for name, content in found.items() if str(sweep.parent).encode() in content]
    config = json.loads(found["0/results.json"])["provenance"]["config"]
    assert config["trainer"]["default_root_dir"] == config["paths"]["run"] == "<run>"
    assert config["data"]["corpora"]["facts"]["cache_dir"] == "<cache>"
    assert json.loads(found["0/job.json"])["overrides"] == ["paths.data=<world>/data"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a/data/x.json", "<data>/x.json"),
        ("paths.data=/a/data", "paths.data=<data>"),
        ("path={en:/a/data/en,de:/a/data/de}", "path={en:<data>/en,de:<data>/de}"),
        ("/a/datas/x", "<a>/datas/x"),
        ("file:///a/b", "file://<a>/b"),
        ("https://host/a/b?c=/d", "https://host/a/b?c=/d"),
        ("outputs/a ../a ~/a 1 / 2 <a>/b", "outputs/a ../a ~/a 1 / 2 <a>/b"),
    ],
)
def test_paths_in_texts(text: str, expected: str) -> None:
    places = {"a": "/a", "data": "/a/data", "d": "/d"}
    assert without_absolute_paths({"k": [text]}, places) == {"k": [expected.replace("c=/d", "c=<d>")]}


def test_a_path_in_no_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrivatePathError, match="/home/me/model is a path of this machine"):
        without_absolute_paths("name_or_path=/home/me/model", {"data": "/home/m"})
    run = run_writer(tmp_path)("r", epochs=(1,), config={"model": {"name_or_path": "/home/me/model"}})
    RunHistory(run, {"config": {}}).add_training(10, {})
    with pytest.raises(InputError, match=rf"{re.escape(str(run))}.*--folder NAME=FOLDER"):
        main([str(run), "--out", str(tmp_path / "small")])
    assert not (tmp_path / "small").exists()
    main([str(run), "--out", str(tmp_path / "small"), "--folder", "home=/home/me"])
    with pytest.raises(ValueError, match="expected NAME=FOLDER"):
        main([str(run), "--out", str(tmp_path / "small"), "--folder", "home"])


def test_again_gives_the_same_bytes_even_from_condensed_runs(sweep: Path, tmp_path: Path) -> None:
    small = condensed(sweep, tmp_path / "small")
    first = contents(small)
    (small / "0" / "evaluations" / "step_000005.json").write_text("of an older run")
    assert contents(condensed(sweep, small)) == first
    assert contents(condensed(small, small)) == first


def test_no_run_is_written_over_another(sweep: Path, tmp_path: Path) -> None:
    small = condensed(sweep, tmp_path / "small")
    shutil.copytree(sweep / "1", tmp_path / "other" / "0")
    with pytest.raises(ValueError, match=r"small/0 holds a run of another configuration or seed"):
        condensed(tmp_path / "other", small)
    with pytest.raises(ValueError, match=r"sweep/0 and .*sweep/1 would both go to .*new"):
        main([str(sweep / "0"), str(sweep / "1"), "--out", str(tmp_path / "new")])


def test_unfinished_and_failed_runs_are_left_out_and_named(sweep: Path, tmp_path: Path) -> None:
    copy: Any = shutil.copytree(sweep, tmp_path / "copy")
    write_record(copy / "0", JobRecord([], "0", error="out of memory"))
    (copy / "1" / "job.json").unlink()
    results = copy / "1" / "results.json"
    results.write_text(results.read_text(encoding="utf-8").replace('"epoch": 2', '"epoch": 1'), encoding="utf-8")
    shutil.copy(copy / "2" / "job.json", copy / "2" / TRAINED)
    (copy / "2" / "job.json").unlink()
    said = main([str(copy), "--out", str(tmp_path / "small"), "--folder", f"world={sweep.parent}"])
    assert f"{copy / '0'}: the job failed: out of memory" in said and f"{copy / '1'}: its training has not" in said
    assert sorted(path.name for path in (tmp_path / "small").iterdir()) == ["2", "3"]
    assert not (tmp_path / "small" / "2" / "job.json").exists()
    shutil.rmtree(copy / "2")
    shutil.rmtree(copy / "3")
    with pytest.raises(ValueError, match="there is no finished run\nleft out"):
        main([str(copy), "--out", str(tmp_path / "none")])


def test_an_evaluated_checkpoint_needs_no_end_of_its_training(sweep: Path, tmp_path: Path) -> None:
    """It was trained in other folders, which have no place in what is kept of it either."""
    stored = read_runs([sweep / "0" / "results.json"])[0]
    trained = {
        "seed": 1,
        "sampler": stored.config["sampler"],
        "callbacks": {"last": {"folder": "/where/it/was/trained/checkpoints"}},
        "paths": {"run": "/where/it/was/trained"},
    }
    config = {"checkpoint": "run/last.ckpt", "eval": stored.config.get("eval"), "paths": {"run": str(tmp_path / "run")}}
    result = evaluate(NoisyEncoder(1, 0.5), uneven_benchmark(), DEFAULT_MEASURES)
    RunHistory(tmp_path / "run", {"config": config, "trained": trained}).add(20, 1, [result])
    assert main([str(tmp_path / "run"), "--out", str(tmp_path / "small")]).startswith("1 of 1 runs")
    content = json.loads((tmp_path / "small" / "results.json").read_text(encoding="utf-8"))["provenance"]
    assert content["trained"]["callbacks"]["last"]["folder"] == "<trained_run>/checkpoints"
    assert content["config"]["paths"]["run"] == "<run>"
