"""Measures against definitions by hand, plain loops, trec_eval and torchmetrics."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional import retrieval as torchmetrics_retrieval

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.measures.measures import Measure, RankLists
from hybrid_ir.evaluation.ranking.ranks import rank_relevant
from hybrid_ir.evaluation.ranking.scoring import VectorScorer
from hybrid_ir.evaluation.results.settings import split_by_setting
from tests.evaluation import naive

NAMES = ("map", "map@20", "ndcg", "ndcg@10", "recall@1", "recall@100", "precision@5", "rr", "rr@10", "rank_distance")


def rank_lists(*queries: list[int]) -> RankLists:
    offsets = np.cumsum([0, *(len(ranks) for ranks in queries)])
    return RankLists(offsets, np.array([rank for ranks in queries for rank in sorted(ranks)]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("map", (1 / 2 + 2 / 4 + 3 / 30) / 3),
        ("map@20", (1 / 2 + 2 / 4) / 3),  # divided by all three relevant passages, as trec_eval does
        ("ndcg@4", (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3) + 1 / 2)),
        ("ndcg@2", (1 / np.log2(3)) / (1 + 1 / np.log2(3))),
        ("recall@4", 2 / 3),
        ("precision@4", 2 / 4),
        ("rr", 1 / 2),
        ("rr@1", 0.0),
        ("rank_distance", 28.0),
    ],
)
def test_values_by_hand(name: str, expected: float) -> None:
    assert Measure.parse(name)(rank_lists([2, 4, 30])) == pytest.approx([expected], abs=1e-15)


@settings(deadline=None)
@given(queries=st.lists(st.lists(st.integers(1, 150), min_size=1, max_size=12, unique=True), min_size=1, max_size=8))
def test_values_equal_plain_loops(queries: list[list[int]]) -> None:
    lists = rank_lists(*queries)
    for name in NAMES:
        expected = [naive.measure(name, ranks) for ranks in queries]
        np.testing.assert_allclose(Measure.parse(name)(lists), expected, rtol=0, atol=1e-12)


def random_run(seed: int, queries: int, passages: int) -> tuple[Benchmark, torch.Tensor, torch.Tensor]:
    """A one-language search whose scores are small integers: exact, and full of ties."""
    random = np.random.default_rng(seed)
    ids = [f"d{number}" for number in random.permutation(passages)]
    qrels = {f"q{i}": random.choice(ids, size=random.integers(1, 9), replace=False).tolist() for i in range(queries)}
    benchmark = Benchmark.build(
        "random", {"en": dict.fromkeys(qrels, "q")}, {"en": dict.fromkeys(ids, "p")}, qrels, settings=("monolingual",)
    )
    vectors = [torch.from_numpy(random.integers(-3, 4, size=(n, 3))).float() for n in (queries, passages)]
    return benchmark, vectors[0], vectors[1]


def fast_values(benchmark: Benchmark, queries: torch.Tensor, passages: torch.Tensor, name: str) -> dict[str, float]:
    ((_, positions, lists),) = split_by_setting(benchmark, rank_relevant(benchmark, VectorScorer(queries, passages)))
    values = Measure.parse(name)(lists)
    return {benchmark.queries.ids[query]: value for query, value in zip(positions, values, strict=True)}


def test_values_and_ties_equal_trec_eval() -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    ours_and_theirs = {
        "map": "map", "map@20": "map_cut_20", "ndcg": "ndcg", "ndcg@10": "ndcg_cut_10", "recall@1": "recall_1",
        "recall@100": "recall_100", "precision@5": "P_5", "rr": "recip_rank",
    }  # fmt: skip
    wanted = {"map", "map_cut.20", "ndcg", "ndcg_cut.10", "recall.1,100", "P.5", "recip_rank"}
    benchmark, queries, passages = random_run(seed=0, queries=1000, passages=150)
    scores = (queries @ passages.T).tolist()
    ids = benchmark.passages.ids
    run = {query: dict(zip(ids, row, strict=True)) for query, row in zip(benchmark.queries.ids, scores, strict=True)}
    qrels = {
        query: {ids[position]: 1 for position in benchmark.relevant[begin:end]}
        for query, begin, end in zip(benchmark.queries.ids, benchmark.offsets, benchmark.offsets[1:], strict=False)
    }
    theirs = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    for ours, name in ours_and_theirs.items():
        values = fast_values(benchmark, queries, passages, ours)
        assert values.keys() == theirs.keys()
        np.testing.assert_allclose(
            list(values.values()), [theirs[query][name] for query in values], rtol=0, atol=1e-12, err_msg=ours
        )


@pytest.mark.parametrize(
    ("name", "function", "options"),
    [
        ("map", torchmetrics_retrieval.retrieval_average_precision, {}),
        ("ndcg@10", torchmetrics_retrieval.retrieval_normalized_dcg, {"top_k": 10}),
        ("recall@10", torchmetrics_retrieval.retrieval_recall, {"top_k": 10}),
        ("precision@5", torchmetrics_retrieval.retrieval_precision, {"top_k": 5}),
        ("rr", torchmetrics_retrieval.retrieval_reciprocal_rank, {}),
    ],
)
def test_values_equal_torchmetrics_where_nothing_ties(name: str, function, options: dict[str, int]) -> None:
    benchmark, _, _ = random_run(seed=1, queries=20, passages=60)
    random = torch.Generator().manual_seed(1)
    queries, passages = (torch.randn(n, 8, generator=random) for n in (20, 60))
    values = fast_values(benchmark, queries, passages, name)
    for query, key in enumerate(benchmark.queries.ids):
        target = torch.zeros(60, dtype=torch.bool)
        target[benchmark.relevant[benchmark.offsets[query] : benchmark.offsets[query + 1]]] = True
        scores = queries[query] @ passages.T
        scores += 1 - scores.min()  # torchmetrics takes nothing with a score of zero or less for found
        assert values[key] == pytest.approx(float(function(scores, target, **options)), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_names_round_trip(name: str) -> None:
    assert Measure.parse(name).name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@10", "unknown measure 'ndgc@10'; did you mean 'ndcg@10'?"),
        ("mAP", "did you mean 'map'?"),
        (
            "zzz",
            "unknown measure 'zzz'; there are map, ndcg, recall@10, precision@10, rr, rank_distance",
        ),
        ("", "unknown measure ''"),
        ("recall", "'recall' needs a cut-off, such as recall@10"),
        ("map@0", "unknown measure 'map@0'"),
        ("rank_distance@10", "takes no cut-off"),
    ],
)
def test_wrong_names_get_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Measure.parse(name)
