"""Two processes find what one finds, to the last bit: embedding, searches, rankings and measures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_ir.evaluation.benchmarks.miracl import load_miracl
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.measures.metric import RetrievalMeasure
from hybrid_ir.evaluation.ranking.exact_search import quick_search, search
from hybrid_ir.evaluation.ranking.ranks import rank_relevant
from hybrid_ir.evaluation.ranking.scoring import VectorScorer
from tests.evaluation import test_exact_search, test_metric, test_ranking, test_streamed
from tests.evaluation.benchmarks.miracl_files import write_miracl
from tests.evaluation.samples import HashEncoder, parallel_benchmark
from tests.processes import run_processes

Work = Callable[[int, int, Path], Any]  # of a rank of so many processes, which share a folder


def metrics(rank: int, world_size: int, folder: Path) -> Any:
    encoder = HashEncoder()
    found = evaluate(encoder, parallel_benchmark(90), query_chunk=1).metrics
    assert [len(texts) for _, texts in encoder.asked] == [270 // world_size] * 2  # each embeds its share
    return dict(found)


def metrics_from_disk(rank: int, world_size: int, folder: Path) -> Any:
    store = folder / f"store of {world_size}"
    benchmark = load_miracl(folder, store, "toy", None, ["sw", "en"], dtype="float32", block_size=7)
    return dict(evaluate(HashEncoder(), benchmark, test_streamed.MEASURES).metrics)


def ranking(rank: int, world_size: int, folder: Path) -> Any:
    benchmark = parallel_benchmark(210)
    vectors = VectorScorer(*test_ranking.near_ties(benchmark))
    found = rank_relevant(benchmark, vectors, 256, dict.fromkeys(test_ranking.POOLS, 7))
    return found.own, found.pooled, *((top.passages, top.scores) for top in found.top.values())


def best_of_uneven_shares(rank: int, world_size: int, folder: Path) -> Any:
    queries, ids, passages = test_exact_search.last_bits()
    blocks = test_exact_search.cut(ids, passages, 500)
    own = blocks if world_size == 1 else (blocks[:1], blocks[1:])[rank]  # also the widths of ids differ
    found = search(queries, own, 10)
    return found.passages, found.scores


def best_of_few_queries(rank: int, world_size: int, folder: Path) -> Any:
    asked, vectors = test_exact_search.near_ties(600, 2)
    blocks = [test_exact_search.blocks_of(vectors, size) for size in (100, 600)]
    shares = blocks[0][rank::world_size], blocks[1][rank:]  # of the latter the second rank has nothing
    found = [quick_search(asked, share, 10, 1.0) for share in shares]
    return [(each.passages, each.scores) for each in found]


def torchmetrics_metric(rank: int, world_size: int, folder: Path) -> Any:
    metric = RetrievalMeasure("ndcg@10")
    metric.update(*(part[rank::world_size] for part in test_metric.random_run()))
    return round(float(metric.compute()), 14)


def compare(rank: int, world_size: int, work: Work, folder: Path, expected: Any) -> None:
    np.testing.assert_equal(work(rank, world_size, folder), expected)


@pytest.mark.parametrize(
    "work", [metrics, metrics_from_disk, ranking, best_of_uneven_shares, best_of_few_queries, torchmetrics_metric]
)
def test_two_processes_find_what_one_finds(work: Work, tmp_path: Path) -> None:
    write_miracl(tmp_path / "toy")
    run_processes(compare, 2, tmp_path, work, tmp_path, work(0, 1, tmp_path))
