"""Pools with hard negatives from runs: what is in them, and runs that do not fit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.miracl import load_miracl_pool
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.hub.fetch import sha256_of
from tests.evaluation.benchmarks.miracl_files import write_lines, write_miracl

QUERIES = range(0, 40, 5)  # of `write_miracl`; passages n and n + 1 are judged for query n


def write_run(path: Path, ranked: Mapping[int, Sequence[int]], prefix: str = "") -> None:
    lines = [
        f"{prefix}{query} Q0 {prefix}{passage}#0 0 {-place} x"
        for query, passages in ranked.items()
        for place, passage in enumerate(passages)
    ]
    write_lines(path, lines)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_miracl(tmp_path / "miracl", ["en", "sw"])
    for language in ("en", "sw"):
        write_run(tmp_path / "runs" / f"{language}.trec", {n: [(n + 2) % 40, n, (n + 30) % 40] for n in QUERIES})
    return tmp_path


def load(data: Path, **options: object) -> Benchmark:
    settled = {"folder": "miracl", "runs": data / "runs", "depth": 2, "passages": 0, **options}
    return load_miracl_pool("miracl_hard", data, **settled)  # type: ignore[arg-type]


def pool(benchmark: Benchmark, language: str = "en") -> set[int]:
    return {int(key[3:-2]) for key in benchmark.passages.ids if key.startswith(f"{language}:")}


def test_the_pool_is_what_was_judged_and_the_best_of_the_runs(data: Path) -> None:
    near = {n + offset for n in QUERIES for offset in (0, 1, 2)}
    assert pool(load(data)) == pool(load(data), "sw") == near
    assert pool(load(data, depth=1)) == near
    third = {(n + 30) % 40 for n in QUERIES}
    assert pool(load(data, depth=3)) == near | third
    some = load(data, queries=3)  # bring their own negatives alone
    asked = {int(key[3:]) for key in some.queries.ids if key.startswith("en:")}
    assert len(asked) == 3 and pool(some) == {n + offset for n in asked for offset in (0, 1, 2)}
    write_run(data / "runs" / "en.bm25.trec", {n: [(n + 3) % 40] for n in QUERIES}, prefix="en:")
    assert pool(load(data)) == near | {n + 3 for n in QUERIES} and pool(load(data), "sw") == near
    assert len(pool(load(data, passages=4))) == 40 - 8 + 4
    write_run(data / "runs" / "en.bm25.trec", {n: [(n + 3) % 40] for n in [*QUERIES, 77]}, prefix="en:")
    assert load(data, languages=["en"]).notes[0].endswith("; 1 other queries in them are ignored")
    write_lines(data / "runs" / "sw.trec", [f"{n} Q0 {p}#0 0 1 x" for n in QUERIES for p in (12, 13, 14)])
    tied = {n + offset for n in QUERIES for offset in (0, 1)} | {14}
    assert pool(load(data, depth=1), "sw") == tied


def test_runs_are_part_of_the_result(data: Path) -> None:
    benchmark = load(data, languages=["en"])
    mark = sha256_of(data / "runs" / "en.trec")[:16]
    note = f"en: the pool has the 2 best passages of each query in en.trec (sha256 {mark})"
    assert benchmark.notes == (note,)
    with pytest.raises(ValueError, match="a pool in memory is another task than MIRACL"):
        load_miracl_pool("miracl", data, runs=data / "runs")


@pytest.mark.parametrize(
    ("ranked", "message"),
    [
        (None, "en.trec: there is no run of the en queries; put it there"),
        ({}, "en.trec: the file is empty"),
        ({n: [0] for n in QUERIES if n != 10}, "en.trec: 1 queries are not in the run, such as 'en:10'"),
        ({n: [n, 40 + n] for n in QUERIES}, "en.trec: 8 passages are not in the corpus, such as 'en:40#0'"),
    ],
)
def test_runs_that_do_not_fit_are_refused(data: Path, ranked: dict[int, list[int]] | None, message: str) -> None:
    (data / "runs" / "en.trec").unlink()
    if ranked is not None:
        write_run(data / "runs" / "en.trec", ranked)
    with pytest.raises(InputError) as error:
        load(data)
    assert message in str(error.value)
    with pytest.raises(ValueError, match="`depth` must be at least 1, got 0"):
        load(data, depth=0)
