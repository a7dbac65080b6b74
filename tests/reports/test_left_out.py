"""What a report leaves out says so; what it cannot use is refused."""

import re
from pathlib import Path

import pytest

from hybrid_ir.commands.report import main
from hybrid_ir.evaluation.results.history import PER_QUERY
from hybrid_ir.launch.job_record import JobRecord, write_record
from tests.evaluation.samples import parallel_benchmark
from tests.reports.conftest import WriteRun
from tests.reports.test_report import sections, tables, texts, write


def test_missing_parts_are_named(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run("only", epochs=(2,), trained_on=())
    (run / PER_QUERY).unlink()
    page, text = write(tmp_path / "out", run)
    left_out = text.split("## Left out")[1]
    for reason in (
        "there is only one arm", "no two arms that differ by the mixing ratio alone", "evaluated more than once",
        "there are no two arms to compare", "do not say which languages they were trained on",
    ):  # fmt: skip
        assert reason in left_out
        assert reason in page
    assert {"headline", "languages", "pairs", "conditions"} <= set(re.findall(r'<h2 id="(\w+)"', page))


def test_a_run_of_an_arm_that_lacks_a_benchmark(write_run: WriteRun, tmp_path: Path) -> None:
    for seed, name in ((1, "one"), (2, "two")):
        write_run(f"s/{seed}", seed=seed, benchmark=parallel_benchmark(20, name=name))
    found = sections(tmp_path / "s")
    assert len(found["conditions"].missing) == 2
    assert "was not evaluated on it, other runs of the arm were" in found["conditions"].missing[0]


def test_other_data_under_the_same_name_is_refused(write_run: WriteRun, tmp_path: Path) -> None:
    write_run("s/0")
    write_run("s/1", benchmark=parallel_benchmark(19))
    with pytest.raises(ValueError, match="different data as toy"):
        main([str(tmp_path / "s"), "--out", str(tmp_path / "out")])


def test_half_trained_runs_are_named(write_run: WriteRun, tmp_path: Path) -> None:
    write_run("s/1", seed=1, epochs=(0, 2))
    write_run("s/2", seed=2, epochs=(0, 1))
    found = sections(tmp_path / "s")["conditions"]
    assert texts(tables(found)[0])[0][7:9] == ["10, 20", "1, 2"]
    (reason,) = found.missing
    assert "after different numbers of steps" in reason
    assert f"{tmp_path / 's/1'} after 20, {tmp_path / 's/2'} after 10" in reason


def test_failed_jobs_are_left_aside(write_run: WriteRun, tmp_path: Path) -> None:
    for seed in (1, 2):
        write_record(write_run(f"s/{seed}", seed=seed), JobRecord([], "", objective=0.5))
    write_record(write_run("s/3", seed=3, epochs=(0, 1)), JobRecord([], "", error="out of memory"))
    write_record(tmp_path / "s/4", JobRecord([], "", error="no such file"))
    _, text = write(tmp_path / "out", tmp_path / "s")
    assert "2 runs in 1 arm" in text
    left_out = text.split("## Left out")[1].replace("\\_", "_")
    assert f"{tmp_path / 's/3'}: the job failed: out of memory" in left_out
    assert f"{tmp_path / 's/4'}: the job failed: no such file" in left_out
    assert f"Left out: {tmp_path / 's/4'}: the job failed" in main([str(tmp_path / "s"), "--samples", "50"])
    with pytest.raises(ValueError, match=r"every run failed: .*s/3: out of memory"):
        main([str(tmp_path / "s/3")])
