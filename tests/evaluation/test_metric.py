"""The torchmetrics Metric in any portions and over processes; its values are compared in `test_measures`."""

import re

import numpy as np
import pytest
import torch

from hybrid_ir.evaluation.measures.metric import RetrievalMeasure


def random_run(queries: int = 200, passages: int = 30) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(0)
    scores = torch.from_numpy(random.integers(-4, 5, (queries, passages))).float()
    target = torch.from_numpy(random.random((queries, passages)) < 0.08).long()
    return scores, target, torch.arange(queries)[:, None].expand(-1, passages)


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
    nothing = RetrievalMeasure("map")
    nothing.update(scores, torch.zeros_like(target), indexes)
    with pytest.raises(ValueError, match="no query with a relevant passage"):
        nothing.compute()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mpa",), "unknown measure 'mpa'; did you mean 'map'?"),
        (("rank_correlation@10",), "needs the languages of passages"),
        (("lang_ndcg@10",), "needs the languages of passages"),
        (("map", "pos"), "`empty_target_action` must be one of skip, neg, error, got 'pos'"),
    ],
)
def test_bad_metrics(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        RetrievalMeasure(*arguments)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"target": torch.ones(3).long()}, "must have one shape, not (2,), (3,), (2,)"),
        ({"preds": torch.ones(2).long()}, "preds must be floating point"),
        ({"target": torch.ones(2)}, "target and indexes whole numbers"),
        ({"preds": torch.tensor([1.0, torch.nan])}, "a score is not finite"),
        ({"target": torch.tensor([2, 0])}, "target must be 0 or 1"),
    ],
)
def test_bad_input(changed: dict[str, torch.Tensor], message: str) -> None:
    sound = {"preds": torch.ones(2), "target": torch.ones(2).long(), "indexes": torch.zeros(2).long()}
    with pytest.raises(ValueError, match=re.escape(message)):
        RetrievalMeasure("map").update(**{**sound, **changed})
