"""Two runs side by side: what differs, by how much, and whether that is more than chance."""

import shutil
from pathlib import Path

import pytest

from hybrid_ir.commands.report import main
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.comparison import compare_runs
from hybrid_ir.evaluation.results.history import PER_QUERY, RunHistory
from hybrid_ir.evaluation.results.result import Result
from tests.evaluation.samples import LANGUAGES, HashEncoder, PlantedEncoder, parallel_benchmark


@pytest.fixture(autouse=True)
def reports_go_to_the_tests_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """A run with random vectors, and one whose vectors know the language before the content."""
    benchmark = parallel_benchmark(30)
    for name, encoder in (("a", HashEncoder()), ("b", PlantedEncoder(LANGUAGES, 30, content=0.1, language=1.0))):
        RunHistory(tmp_path / name, {"config": {}}).add(0, 0, [evaluate(encoder, benchmark)])
    return tmp_path / "a", tmp_path / "b"


def test_clear_differences_are_marked(runs: tuple[Path, Path]) -> None:
    text = main([str(run) for run in runs])
    (line,) = [line for line in text.splitlines() if line.startswith("| toy/monolingual/map |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1].startswith("+0.8") and cells[1].endswith("***")
    assert cells[6] == "3 / 0 / 0"
    assert "toy/monolingual/map/de" not in text


def test_settings_on_request(runs: tuple[Path, Path]) -> None:
    text = main([*(str(run) for run in runs), "--settings", "--samples", "200"])
    lines = [line for line in text.splitlines() if line.startswith("| toy/crosslingual/map")]
    assert len(lines) == 1 + 6
    assert lines[1].startswith("| toy/crosslingual/map/de-en | +0.")


def test_differences_are_those_of_the_metrics(runs: tuple[Path, Path]) -> None:
    from hybrid_ir.evaluation.results.result_files import read_results

    before, after = (read_results(run / "results.json").metrics for run in runs)
    metrics = compare_runs(*runs, samples=50)
    assert metrics is not None
    for metric in metrics:
        assert metric.comparison.macro.value == pytest.approx(after[metric.name] - before[metric.name])
        for label, difference in zip(metric.settings, metric.comparison.settings, strict=True):
            key = f"{metric.name}/{label}"
            assert difference.value == pytest.approx(after[key] - before[key])


def test_a_run_and_itself(runs: tuple[Path, Path]) -> None:
    metrics = compare_runs(runs[0], runs[0], samples=50)
    assert metrics is not None
    assert {metric.p for metric in metrics} == {1.0}
    assert "*" not in main([str(runs[0]), str(runs[0]), "--samples", "50"]).split("Differences are")[0]


def test_other_data_under_the_same_name_is_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    RunHistory(tmp_path / "c", {"config": {}}).add(0, 0, [toy(parallel_benchmark(29))])
    with pytest.raises(ValueError, match="different things as toy"):
        main([str(runs[0]), str(tmp_path / "c")])


def test_nothing_in_common(runs: tuple[Path, Path], tmp_path: Path) -> None:
    RunHistory(tmp_path / "c", {"config": {}}).add(0, 0, [toy(parallel_benchmark(3, name="other"))])
    with pytest.raises(ValueError, match="no metric in common"):
        main([str(runs[0]), str(tmp_path / "c")])


def test_runs_without_values_of_queries_are_still_tabled(runs: tuple[Path, Path]) -> None:
    (runs[1] / PER_QUERY).unlink()
    text = main([str(run) for run in runs])
    table, differences, _ = text.split("\n\n")
    assert len(table.splitlines()) == 2 + 2
    assert differences == f"Differences were not tested: there is no {runs[1] / PER_QUERY}."


def test_three_runs_are_a_table_alone(runs: tuple[Path, Path]) -> None:
    shutil.copytree(runs[0], runs[0].with_name("c"))
    text = main([str(runs[0].parent)])
    table, _ = text.split("\n\n")
    assert len(table.splitlines()) == 2 + 3


def toy(benchmark: Benchmark) -> Result:
    return evaluate(HashEncoder(), benchmark)
