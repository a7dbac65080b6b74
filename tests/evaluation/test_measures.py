"""Measures of ranks: values by hand; fast = plain loops = trec_eval, ties included, and as torchmetrics metrics."""

import re

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import PAPER_MEASURES, evaluate
from hybrid_ir.evaluation.measures.measures import Measure, better, kinds, measure_of
from hybrid_ir.evaluation.measures.metric import RetrievalMeasure
from hybrid_ir.evaluation.measures.rank_lists import RankLists
from hybrid_ir.evaluation.ranking.ranks import rank_relevant
from hybrid_ir.evaluation.ranking.scoring import VectorScorer
from hybrid_ir.evaluation.results.result import split_by_setting
from tests.evaluation import naive
from tests.evaluation.samples import LANGUAGES, HashEncoder, parallel_benchmark, qrels_of

NAMES = ("map", "map@20", "ndcg", "ndcg@10", "recall@1", "recall@100", "precision@5", "rr", "rr@10", "rank_distance")
OF_LANGUAGES = ("language_preference_rate", "language_preference_excess", "lang_ndcg", "lang_ndcg@1", "lang_ndcg@6")


def rank_lists(*queries: dict[int, bool]) -> RankLists:
    """Queries given as rank -> whether the relevant passage there is in the query's language."""
    ranks = [rank for query in queries for rank in sorted(query)]
    own = [query[rank] for query in queries for rank in sorted(query)]
    return RankLists(np.cumsum([0, *map(len, queries)]), np.array(ranks), np.array(own))


@settings(deadline=None)
@given(
    queries=st.lists(
        st.dictionaries(st.integers(1, 150), st.booleans(), min_size=1, max_size=12), min_size=1, max_size=8
    )
)
@example(queries=[{rank: True} for rank in (1, 2, 5, 6, 7, 10, 11, 20, 21, 100, 101)])  # at each cut and next to it
def test_values_equal_plain_loops(queries: list[dict[int, bool]]) -> None:
    lists = rank_lists(*queries)
    for name in (*NAMES, *OF_LANGUAGES):
        expected = [naive.measure(name, list(query), list(query.values())) for query in queries]
        np.testing.assert_allclose(Measure.parse(name)(lists), expected, rtol=0, atol=1e-12, err_msg=name)


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
    """Also as a torchmetrics metric, to which passages are given by descending id."""
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    ours_and_theirs = {
        "map": "map", "map@20": "map_cut_20", "ndcg": "ndcg", "ndcg@10": "ndcg_cut_10", "recall@1": "recall_1",
        "recall@100": "recall_100", "precision@5": "P_5", "rr": "recip_rank",
    }  # fmt: skip
    wanted = {"map", "map_cut.20", "ndcg", "ndcg_cut.10", "recall.1,100", "P.5", "recip_rank"}
    benchmark, queries, passages = random_run(seed=0, queries=1000, passages=150)
    scores, ids = queries @ passages.T, benchmark.passages.ids
    rows = zip(benchmark.queries.ids, scores.tolist(), strict=True)
    run = {query: dict(zip(ids, row, strict=True)) for query, row in rows}
    qrels = {query: dict.fromkeys(passages, 1) for query, passages in qrels_of(benchmark).items()}
    target = torch.tensor([[key in qrels[query] for key in ids] for query in run])
    indexes = torch.arange(len(run))[:, None].expand_as(target)
    theirs = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    for ours, name in ours_and_theirs.items():
        values = fast_values(benchmark, queries, passages, ours)
        assert values.keys() == theirs.keys()
        expected = [theirs[query][name] for query in values]
        np.testing.assert_allclose(list(values.values()), expected, rtol=0, atol=1e-12, err_msg=ours)
        metric = RetrievalMeasure(ours)
        metric.update(scores, target, indexes)
        assert float(metric.compute()) == pytest.approx(np.mean(expected), abs=1e-12), ours


def test_lang_ndcg_is_that_of_trec_eval_with_grades() -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    benchmark = parallel_benchmark(40)
    result = evaluate(
        HashEncoder(), benchmark, {**PAPER_MEASURES, "multilingual": OF_LANGUAGES}, keep=len(benchmark.passages)
    )
    top = result.top["multilingual"]
    qrels = {
        f"{lang}:q{i}": {f"{pool}:p{i}": 1 + (pool == lang) for pool in LANGUAGES}
        for lang in LANGUAGES
        for i in range(40)
    }
    run = {
        query: {passage.decode(): float(-rank) for rank, passage in enumerate(passages)}
        for query, passages in zip(top.queries, top.passages, strict=True)
    }
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg", "ndcg_cut.6"}).evaluate(run)
    for entry in result.settings:
        for name, other in {"lang_ndcg": "ndcg", "lang_ndcg@6": "ndcg_cut_6"}.items():
            if entry.setting.kind == "multilingual":
                expected = [theirs[query][other] for query in entry.queries]
                np.testing.assert_allclose(entry.values[Measure.parse(name)], expected, rtol=0, atol=1e-12)


def test_every_measure_says_what_it_is() -> None:
    for name in (*NAMES, *OF_LANGUAGES, "language_share@5", "language_share_de@5"):
        assert Measure.parse(name).name == name
    assert {*kinds()} >= {Measure.parse(name).kind for name in (*NAMES, *OF_LANGUAGES)}
    for kind, measure in kinds().items():
        assert measure.short and measure.definition and measure.__doc__, kind
    assert measure_of("xquad_r/rank_distance/de") == Measure.parse("rank_distance")
    assert measure_of("x/crosslingual/map@5/de-rr") == Measure.parse("map@5") and measure_of("validation/loss") is None
    assert [Measure.parse(name).title for name in ("map", "recall@10", "rr")] == ["mAP", "R@10", "MRR"]


@pytest.mark.parametrize(
    ("metric", "worse", "best"),
    [("x/monolingual/map", 0.1, 0.2), ("x/rank_distance/de", 5.0, 3.0), ("x/own_language_advantage@10", -0.2, 0.1)],
)
def test_better_values(metric: str, worse: float, best: float) -> None:
    assert better(metric, best, worse) and not better(metric, worse, best) and not better(metric, best, best)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@10", "unknown measure 'ndgc@10'; did you mean 'ndcg@10'?"),
        ("mAP", "did you mean 'map'?"),
        ("zzz", "unknown measure 'zzz'; there are map, ndcg, recall@10, precision@10, rr, rank_distance"),
        ("", "unknown measure ''"),
        ("recall", "'recall' needs a cut-off, such as recall@10"),
        ("map@0", "unknown measure 'map@0'"),
        ("rank_distance@10", "takes no cut-off"),
    ],
)
def test_wrong_names_get_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Measure.parse(name)
