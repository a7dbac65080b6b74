"""The best passages of every query: those of a full sort, ties at the cut included."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.ranking import scoring
from hybrid_ir.evaluation.ranking.ranking import Ranking, rank_relevant
from hybrid_ir.evaluation.ranking.scoring import Vectors
from hybrid_ir.evaluation.ranking.top import NO_PASSAGE, best_passages
from tests.evaluation.samples import HashEncoder, parallel_benchmark
from tests.processes import run_processes

POOLS = {"monolingual": 7, "multilingual": 7}


def naive_top(benchmark: Benchmark, scores: np.ndarray, pool: str, k: int) -> list[list[int]]:
    ids, languages = benchmark.passages.ids, benchmark.passages.languages
    lists = []
    for query, language in enumerate(benchmark.queries.languages):
        members = [p for p in range(len(ids)) if pool == "multilingual" or languages[p] == language]
        best = sorted(members, key=lambda p: (scores[query, p], ids[p]), reverse=True)[:k]
        lists.append(best + [NO_PASSAGE] * (k - len(best)))
    return lists


@settings(max_examples=60, deadline=None)
@given(values=st.integers(1, 6), k=st.integers(1, 9), chunk=st.integers(1, 9), seed=st.integers(0, 999))
def test_top_equals_a_full_sort(values: int, k: int, chunk: int, seed: int) -> None:
    """With few different values many scores tie, at the cut and elsewhere; pools of five are smaller than some k."""
    benchmark = parallel_benchmark(questions=5)
    random = np.random.default_rng(seed)
    vectors = [torch.from_numpy(random.integers(0, values, size=(15, 2))).float() for _ in range(2)]
    with mock.patch.object(scoring, "TILE", 2):
        ranking = rank_relevant(benchmark, Vectors(*vectors), chunk, dict.fromkeys(POOLS, k))
    scores = (vectors[0] @ vectors[1].T).numpy()
    for pool, top in ranking.top.items():
        assert top.passages.tolist() == naive_top(benchmark, scores, pool, k)
        found = np.take_along_axis(scores, np.maximum(top.passages, 0), axis=1)
        np.testing.assert_array_equal(top.scores, np.where(top.passages == NO_PASSAGE, 0, found))


def test_ties_follow_positions_not_columns() -> None:
    positions = torch.tensor([3, 1, 0, 2])
    passages, scores = best_passages(torch.tensor([[1.0, 1.0, 1.0, 2.0]]), positions, 3)
    assert passages.tolist() == [[2, 0, 1]]
    assert scores.tolist() == [[2.0, 1.0, 1.0]]


def rank_and_compare(rank: int, world_size: int, expected: Ranking) -> None:
    found = ranked()
    for pool, top in expected.top.items():
        np.testing.assert_array_equal(found.top[pool].passages, top.passages)
        np.testing.assert_array_equal(found.top[pool].scores, top.scores)


def ranked() -> Ranking:
    benchmark, encoder = parallel_benchmark(questions=100), HashEncoder()
    vectors = encoder.encode(benchmark.queries.texts, "query"), encoder.encode(benchmark.passages.texts, "passage")
    return rank_relevant(benchmark, Vectors(*vectors), 1, POOLS)


def test_two_processes_find_the_passages_of_one(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run_processes(rank_and_compare, 2, tmp_path, ranked())
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("k", [3, 8])
def test_first_are_the_best_of_the_best(k: int) -> None:
    top = ranked().top["multilingual"]
    np.testing.assert_array_equal(top.first(k).passages, top.passages[:, :k])
