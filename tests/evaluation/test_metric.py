"""The torchmetrics Metric: the engine's numbers and trec_eval's, in any portions and over processes."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.measures.metric import RetrievalMeasure
from tests.evaluation.samples import HashEncoder, PlantedEncoder, parallel_benchmark
from tests.processes import run_processes

NAMES = ["map", "map@5", "ndcg", "ndcg@10", "recall@5", "precision@3", "rr", "rr@2", "rank_distance"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoder", [HashEncoder(), PlantedEncoder(("de", "en", "tr"), 9, content=0.0, language=1.0)])
def test_equals_the_engine(name: str, encoder) -> None:  # type: ignore[no-untyped-def]
    benchmark = parallel_benchmark(9)
    measures = {"monolingual": ["map"], "crosslingual": ["map"], "multilingual": [name]}
    expected = evaluate(encoder, benchmark, measures).metrics
    scores = encoder.encode(benchmark.queries.texts, "query") @ encoder.encode(benchmark.passages.texts, "passage").T
    target = torch.zeros(27, 27, dtype=torch.bool)
    target[np.repeat(np.arange(27), np.diff(benchmark.offsets)), benchmark.relevant] = True
    key = f"toy/{name}" if name == "rank_distance" else f"toy/multilingual/{name}"
    for number, language in enumerate(benchmark.languages):
        rows = torch.from_numpy(np.flatnonzero(benchmark.queries.languages == number))
        metric = RetrievalMeasure(name)
        metric.update(scores[rows], target[rows], rows[:, None].expand(-1, 27))
        assert float(metric.compute()) == pytest.approx(expected[f"{key}/{language}"], abs=1e-15)


def random_run(queries: int = 200, passages: int = 30) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(0)
    scores = torch.from_numpy(random.integers(-4, 5, (queries, passages))).float()
    target = torch.from_numpy(random.random((queries, passages)) < 0.08).long()
    return scores, target, torch.arange(queries)[:, None].expand(-1, passages)


def test_equals_trec_eval() -> None:
    """Ties, negative scores and queries without a relevant passage, which trec_eval leaves out of the mean."""
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    scores, target, indexes = random_run()
    ids = [f"p{99 - place}" for place in range(30)]  # descending, so that what comes first wins a tie
    run = {str(q): dict(zip(ids, row, strict=True)) for q, row in enumerate(scores.tolist())}
    qrels = {str(q): dict(zip(ids, row, strict=True)) for q, row in enumerate(target.tolist()) if any(row)}
    assert len(qrels) < len(run)
    names = {"map": "map", "map@5": "map_cut_5", "ndcg@10": "ndcg_cut_10", "recall@5": "recall_5", "rr": "recip_rank"}
    wanted = {"map", "map_cut.5", "ndcg_cut.10", "recall.5", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    for ours, name in names.items():
        metric = RetrievalMeasure(ours)
        metric.update(scores, target, indexes)
        expected = np.mean([values[name] for values in theirs.values()])
        assert float(metric.compute()) == pytest.approx(expected, abs=1e-12), ours


def test_portions_do_not_matter() -> None:
    scores, target, indexes = (part.flatten() for part in random_run())
    whole, parts = RetrievalMeasure("map"), RetrievalMeasure("map")
    whole.update(scores, target, indexes)
    for rows in torch.arange(len(scores)).split(777):  # cuts through queries
        parts.update(scores[rows], target[rows], indexes[rows])
    assert parts.compute() == whole.compute()
    parts.reset()
    parts.update(scores[:30], target[:30], indexes[:30])
    assert parts.compute() != whole.compute()


def test_queries_without_a_relevant_passage() -> None:
    scores, target = torch.tensor([0.9, 0.1, 0.5]), torch.tensor([1, 0, 0])
    indexes = torch.tensor([7, 7, 3])
    values = {}
    for action in ("skip", "neg"):
        metric = RetrievalMeasure("map", empty_target_action=action)
        metric.update(scores, target, indexes)
        values[action] = float(metric.compute())
    assert values == {"skip": 1.0, "neg": 0.5}
    metric = RetrievalMeasure("map", empty_target_action="error")
    metric.update(scores, target, indexes)
    with pytest.raises(ValueError, match="1 of 2 queries have no relevant passage"):
        metric.compute()


def compute_and_compare(rank: int, world_size: int, expected: float) -> None:
    scores, target, indexes = random_run()
    metric = RetrievalMeasure("ndcg@10")
    metric.update(scores[rank::2], target[rank::2], indexes[rank::2])
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-15)


def test_two_processes_compute_the_value_of_one(tmp_path: Path) -> None:
    metric = RetrievalMeasure("ndcg@10")
    metric.update(*random_run())
    run_processes(compute_and_compare, 2, tmp_path, float(metric.compute()))


def test_direction() -> None:
    assert RetrievalMeasure("map").higher_is_better and not RetrievalMeasure("rank_distance").higher_is_better


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mpa",), "unknown measure 'mpa'; did you mean 'map'?"),
        (("rank_correlation@10",), "needs the languages of passages"),
        (("map", "pos"), "`empty_target_action` must be one of skip, neg, error, got 'pos'"),
    ],
)
def test_bad_metrics(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        RetrievalMeasure(*arguments)


@pytest.mark.parametrize(
    ("preds", "target", "indexes", "message"),
    [
        (torch.ones(2), torch.ones(3).long(), torch.zeros(2).long(), "must have one shape, not (2,), (3,), (2,)"),
        (torch.ones(2).long(), torch.ones(2).long(), torch.zeros(2).long(), "preds must be floating point"),
        (torch.ones(2), torch.ones(2), torch.zeros(2).long(), "target and indexes whole numbers"),
        (torch.tensor([1.0, torch.nan]), torch.ones(2).long(), torch.zeros(2).long(), "a score is not finite"),
        (torch.ones(2), torch.tensor([2, 0]), torch.zeros(2).long(), "target must be 0 or 1"),
    ],
)
def test_bad_input(preds: torch.Tensor, target: torch.Tensor, indexes: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        RetrievalMeasure("map").update(preds, target, indexes)


def test_nothing_to_average() -> None:
    metric = RetrievalMeasure("map")
    metric.update(torch.ones(2), torch.zeros(2).long(), torch.zeros(2).long())
    with pytest.raises(ValueError, match="no query with a relevant passage"):
        metric.compute()
