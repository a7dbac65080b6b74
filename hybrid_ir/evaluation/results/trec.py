"""The best passages of an evaluation as TREC runs."""

from collections.abc import Iterator
from pathlib import Path

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark
from hybrid_ir.evaluation.ranking.top import NO_PASSAGE, NamedPassages, TopPassages
from hybrid_ir.evaluation.results.result import Result
from hybrid_ir.sources.formats.trec_run import RankedList, write_run


def write_runs(folder: Path, benchmark: Benchmark | StreamedBenchmark, result: Result) -> None:
    """Write what a result has kept of its best passages: `xquad_r.multilingual.trec`, `xquad_r.monolingual.trec`.

    The former ranks passages of all languages, the latter those of the query's own.
    """
    for pool, top in result.top.items():
        lists = _by_id(top) if isinstance(top, NamedPassages) else _by_position(benchmark, top)
        write_run(folder / f"{benchmark.name}.{pool}.trec", lists, tag="hybrid_ir")


def _by_id(top: NamedPassages) -> Iterator[RankedList]:
    for query, passages, scores in zip(top.queries, top.passages.tolist(), top.scores.tolist(), strict=True):
        yield query, [(key.decode(), score) for key, score in zip(passages, scores, strict=True) if key]


def _by_position(benchmark: Benchmark | StreamedBenchmark, top: TopPassages) -> Iterator[RankedList]:
    assert isinstance(benchmark, Benchmark), "streamed passages have no positions"
    ids = benchmark.passages.ids
    rows = zip(benchmark.queries.ids, top.passages.tolist(), top.scores.tolist(), strict=True)
    for query, passages, scores in rows:
        found = zip(passages, scores, strict=True)
        yield query, [(ids[passage], score) for passage, score in found if passage != NO_PASSAGE]
