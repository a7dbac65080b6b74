"""Two runs side by side: what differs, by how much, and whether that is more than chance."""

import shutil
from pathlib import Path

import pytest

from hybrid_ir.commands.report import main
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.history import PER_QUERY, RunHistory
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
    every = main([*(str(run) for run in runs), "--settings", "--samples", "200"])
    lines = [line for line in every.splitlines() if line.startswith("| toy/crosslingual/map")]
    assert len(lines) == 1 + 6 and lines[1].startswith("| toy/crosslingual/map/de-en | +0.")


def test_what_cannot_be_tested_is_still_tabled(runs: tuple[Path, Path]) -> None:
    (runs[1] / PER_QUERY).unlink()
    table, differences, _ = main([str(run) for run in runs]).split("\n\n")
    assert len(table.splitlines()) == 2 + 2
    assert differences == f"Differences were not tested: there is no {runs[1] / PER_QUERY}."
    shutil.copytree(runs[0], runs[0].with_name("c"))
    table, _ = main([str(runs[0].parent)]).split("\n\n")  # three runs
    assert len(table.splitlines()) == 2 + 3
    other = evaluate(HashEncoder(), parallel_benchmark(3, name="other"))
    RunHistory(runs[0].with_name("d"), {"config": {}}).add(0, 0, [other])
    with pytest.raises(ValueError, match="no metric in common"):
        main([str(runs[0]), str(runs[0].with_name("d"))])
