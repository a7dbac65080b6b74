"""Results as files: nothing lost, nothing half written."""

import csv
import json
from pathlib import Path

import pytest

from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result import COLUMNS, Result
from hybrid_ir.evaluation.results.result_files import read_results, write_results, write_table
from hybrid_ir.sources.errors import InputError
from tests.evaluation.samples import HashEncoder, parallel_benchmark


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return [evaluate(HashEncoder(), parallel_benchmark(5, name=name)) for name in ("toy", "other")]


def test_results_round_trip(tmp_path: Path, results: list[Result]) -> None:
    path = tmp_path / "run" / "results.json"
    write_results(path, results, {"model": "hash", "step": 3})
    stored = read_results(path)
    assert stored.metrics == results[0].metrics | results[1].metrics
    assert stored.rows == results[0].rows + results[1].rows
    assert stored.provenance == {"model": "hash", "step": 3}
    assert stored.benchmarks["toy"]["passages"] == {"de": 5, "en": 5, "tr": 5}
    assert stored.benchmarks["other"]["fingerprint"] == results[1].fingerprint
    assert json.loads(path.read_text())["version"] == 1


def test_the_table_has_a_line_for_every_measure_of_every_setting(tmp_path: Path, results: list[Result]) -> None:
    write_table(tmp_path / "table.csv", results)
    with (tmp_path / "table.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(results[0].rows) + len(results[1].rows) and tuple(lines[0]) == COLUMNS
    (line,) = (
        line for line in lines
        if (line["benchmark"], line["setting"], line["query_language"], line["pool"], line["measure"])
        == ("toy", "crosslingual", "de", "tr", "map")
    )  # fmt: skip
    assert float(line["value"]) == results[0].metrics["toy/crosslingual/map/de-tr"] and line["queries"] == "5"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, results: list[Result]) -> None:
    path = tmp_path / "results.json"
    write_results(path, results, {})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_results(path, results[:1], {"not for JSON": object()})
    with pytest.raises(ValueError, match="one result for each benchmark, got toy, toy"):
        write_results(path, [results[0], results[0]], {})
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n,", ":2: not JSON"),
        (None, "results.json: cannot be read"),
        ("[]", "results of version None"),
        ('{"version": 99}', "results of version 99; this code reads version 1"),
        ('{"version": 1, "metrics": {}}', "without 'settings'"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "results.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as error:
        read_results(path)
    assert message in str(error.value) and str(path) in str(error.value)
