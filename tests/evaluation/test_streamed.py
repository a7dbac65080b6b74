"""Benchmarks from disk: the numbers of the same benchmark in memory, and what the best of a ranking cannot tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_ir.evaluation.baselines.bm25 import BM25
from hybrid_ir.evaluation.benchmarks.miracl import load_miracl, load_miracl_pool
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result_files import read_results, write_results, write_runs
from hybrid_ir.sources.formats.trec_run import read_run
from tests.evaluation.benchmarks.miracl_files import write_lines, write_miracl
from tests.evaluation.samples import HashEncoder

MEASURES = {"monolingual": ["ndcg@10", "recall@20", "rr@20", "map@20"]}


@pytest.fixture
def streamed(tmp_path: Path) -> StreamedBenchmark:
    write_miracl(tmp_path / "toy")
    languages = ["sw", "en"]
    return load_miracl(tmp_path, tmp_path / "store", "toy", None, languages, dtype="float32", block_size=7)


def test_numbers_and_runs_are_those_of_the_same_benchmark_in_memory(
    streamed: StreamedBenchmark, tmp_path: Path
) -> None:
    pool = load_miracl_pool("toy", tmp_path, languages=["sw", "en"])
    for keep in (0, 1, 30, 90):  # none, fewer than the measures look at, more, and more than there are
        found, expected = (
            evaluate(HashEncoder(), each, MEASURES, query_chunk=1, keep=keep) for each in (streamed, pool)
        )
        assert found.metrics == pytest.approx(expected.metrics, abs=1e-12)
        runs = []
        for name, result in (("disk", found), ("memory", expected)):
            write_runs(tmp_path / name, result)
            runs.append(read_run(tmp_path / name / "toy.monolingual.trec") if keep else {})
        assert [*map(list, runs[0].values())] == [*map(list, runs[1].values())] and runs[0].keys() == runs[1].keys()
        assert {len(passages) for passages in runs[0].values()} == ({min(keep, 40)} if keep else set())
        for query, passages in runs[1].items():
            assert runs[0][query] == pytest.approx(passages, abs=1e-6)
    assert next(iter(found.metrics)) == "toy/monolingual/ndcg@10" and "toy/monolingual/recall@20/sw" in found.metrics
    assert 0 < found.macro["toy/monolingual/recall@20"] < 1  # there is something to find, and not all is found
    assert (found.languages, found.queries, found.passages) == (("sw", "en"), expected.queries, expected.passages)
    assert [entry.queries for entry in found.settings] == [entry.queries for entry in expected.settings]
    own = {"monolingual": ["recall@5"]}  # go before those of the evaluation
    for benchmark in (streamed, pool):
        assert list(evaluate(HashEncoder(), replace(benchmark, measures=own), MEASURES).macro) == [
            "toy/monolingual/recall@5"
        ]


def test_what_a_search_from_disk_cannot_give_is_refused_before_anything_is_encoded(streamed: StreamedBenchmark) -> None:
    encoder = HashEncoder()
    for measure in ("map", "rr", "ndcg"):
        with pytest.raises(ValueError, match=f"keeps the best of each ranking, and {measure} is defined over all"):
            evaluate(encoder, streamed, {"monolingual": ["recall@5", measure]})
    assert not encoder.asked
    with pytest.raises(ValueError, match="toy is searched from disk by vectors only"):
        evaluate(BM25(), streamed, MEASURES)


def test_missing_passages_are_an_error_or_counted(tmp_path: Path) -> None:
    folder = write_miracl(tmp_path / "toy", ["en"])
    query_groups = folder / "miracl-v1.0-en"
    write_lines(query_groups / "topics" / "topics.miracl-v1.0-en-dev.tsv", ["0\tTitle 0", "1\tTitle 1", "2\tTitle 2"])
    judged = ["0\tQ0\t0#0\t1", "0\tQ0\t900#0\t1", "1\tQ0\t901#0\t1", "2\tQ0\t2#0\t0"]
    write_lines(query_groups / "qrels" / "qrels.miracl-v1.0-en-dev.tsv", judged)
    strict = load_miracl(tmp_path, tmp_path / "store", "toy", languages=["en"])
    with pytest.raises(ValueError, match=r"toy \(en\): 2 passages .* not in the pool, such as 'en:900#0'"):
        evaluate(HashEncoder(), strict, MEASURES)
    with pytest.raises(ValueError, match=r"toy: 2 passages .* not in the pool"):
        load_miracl_pool("toy", tmp_path)
    streamed = evaluate(HashEncoder(), replace(strict, missing="count"), MEASURES)
    pool = evaluate(HashEncoder(), load_miracl_pool("toy", tmp_path, missing="count"), MEASURES)
    assert streamed.metrics == pytest.approx(pool.metrics) and streamed.queries == pool.queries == {"en": 1}
    counted = (
        "2 passages judged relevant are not in the pool and count for nothing; "
        "1 of 2 queries had no other and are left out"
    )
    unjudged = "en: 1 of 3 queries have no relevant passage and are left out"
    assert streamed.notes == (unjudged, f"en: {counted}") and pool.notes == (unjudged, counted)
    write_results(tmp_path / "results.json", [pool], {})
    assert read_results(tmp_path / "results.json").benchmarks["toy"]["notes"] == [unjudged, counted]


def test_the_fingerprint_changes_with_what_is_judged(streamed: StreamedBenchmark, tmp_path: Path) -> None:
    task = streamed.tasks[0]
    query = next(iter(task.queries))
    others = [
        replace(task, queries={**task.queries, query: "another question"}),
        replace(task, qrels={**task.qrels, query: ["sw:3#0"]}),
        replace(task, corpus=streamed.tasks[1].corpus),
    ]
    assert len({replace(streamed, tasks=(other,)).fingerprint for other in [task, *others]}) == 4
    elsewhere = write_miracl(tmp_path / "elsewhere" / "toy").parent
    assert load_miracl(elsewhere, tmp_path, "toy", languages=["sw", "en"]).fingerprint == streamed.fingerprint
