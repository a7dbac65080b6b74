"""Ranks and best passages in memory: those of a full sort, the same for every chunk size and number of processes."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.ranking import scoring
from hybrid_ir.evaluation.ranking.best_lists import NO_PASSAGE
from hybrid_ir.evaluation.ranking.ranks import rank_relevant
from hybrid_ir.evaluation.ranking.scoring import VectorScorer
from tests.evaluation import naive
from tests.evaluation.golden_ranking import drawn
from tests.evaluation.samples import parallel_benchmark

POOLS = ("monolingual", "multilingual")


def naive_top(benchmark: Benchmark, scores: np.ndarray, pool: str, k: int) -> list[list[int]]:
    ids, languages = benchmark.passages.ids, benchmark.passages.languages
    lists = []
    for query, language in enumerate(benchmark.queries.languages):
        members = [p for p in range(len(ids)) if pool == "multilingual" or languages[p] == language]
        best = sorted(members, key=lambda p: (scores[query, p], ids[p]), reverse=True)[:k]
        lists.append(best + [NO_PASSAGE] * (k - len(best)))
    return lists


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), tile=st.integers(1, 6), chunk=st.integers(1, 20), k=st.integers(1, 45))
def test_ranks_and_best_passages_equal_a_full_sort(seed: int, tile: int, chunk: int, k: int) -> None:
    benchmark, queries, passages, _ = drawn(np.random.default_rng(seed))
    with mock.patch.object(scoring, "TILE", tile):
        ranking = rank_relevant(benchmark, VectorScorer(queries, passages), chunk, dict.fromkeys(POOLS, k))
    scores = (queries @ passages.T).numpy()
    own, pooled = naive.ranks(benchmark, scores)
    np.testing.assert_array_equal(ranking.own, own)
    np.testing.assert_array_equal(ranking.pooled, pooled)
    for pool, best in ranking.top.items():
        assert best.passages.tolist() == naive_top(benchmark, scores, pool, k)
        found = np.take_along_axis(scores, np.maximum(best.passages, 0), axis=1)
        np.testing.assert_array_equal(best.scores, np.where(best.passages == NO_PASSAGE, -np.inf, found))


def near_ties(benchmark: Benchmark) -> tuple[Tensor, Tensor]:
    """Vectors whose scores differ by a few last bits, so that any other order of summation changes ranks."""
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(len(benchmark.queries), 48, generator=generator)
    passages = torch.randn(1, 48, generator=generator) * (
        1 + 2e-7 * torch.randn(len(benchmark.passages), 48, generator=generator)
    )
    return queries, passages


def test_ranks_depend_neither_on_the_chunk_nor_on_autocast_nor_on_the_allowed_precision() -> None:
    benchmark = parallel_benchmark(questions=210)
    queries, passages = near_ties(benchmark)
    backwards = (queries.flip(1) @ passages.flip(1).T).argsort(dim=1)
    assert not torch.equal((queries @ passages.T).argsort(dim=1), backwards), "another order of summation would show"
    expected = rank_relevant(benchmark, VectorScorer(queries, passages), 1024)
    torch.set_float32_matmul_precision("medium")
    try:
        for chunk in (1, 255, 256, 257, 512, 10_000):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=chunk < 256):
                found = rank_relevant(benchmark, VectorScorer(queries, passages), chunk)
            np.testing.assert_array_equal(found.own, expected.own)
            np.testing.assert_array_equal(found.pooled, expected.pooled)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_equal_vectors_tie_even_where_the_product_rounds_by_column() -> None:
    benchmark = parallel_benchmark(questions=30)
    queries, passages = near_ties(benchmark)
    passages[:] = passages[0].clone()
    product = torch.mm

    def uneven(left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        product(left, right, out=out)
        return out.add_(torch.arange(out.shape[1]) * 1e-3)

    with mock.patch.object(torch, "mm", uneven):
        ranks = rank_relevant(benchmark, VectorScorer(queries, passages))
    np.testing.assert_array_equal(ranks.pooled, 1 + benchmark.relevant)  # the order of descending ids


@pytest.mark.parametrize(
    ("scale", "chunk", "message"),
    [(1e19, 1, "may overflow float32"), (1.0, 0, "query_chunk must be at least 1, got 0")],
)
def test_what_cannot_be_ranked_is_refused(scale: float, chunk: int, message: str) -> None:
    benchmark = parallel_benchmark()
    queries, passages = near_ties(benchmark)
    with pytest.raises(ValueError, match=message):
        rank_relevant(benchmark, VectorScorer(queries * scale, passages * scale), query_chunk=chunk)
