"""The measures as a torchmetrics `Metric`, for Lightning code that does not use this project's evaluator."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from hybrid_ir.evaluation.measures.measures import Direction, Measure, Needs, RankMeasure
from hybrid_ir.evaluation.measures.rank_lists import RankLists

EMPTY = ("skip", "neg", "error")


class RetrievalMeasure(Metric):
    """The mean of a measure over queries, with the interface of torchmetrics' retrieval metrics.

    Values equal those of trec_eval and of this project's evaluator, unlike torchmetrics' own in two cases: scores of
    zero and below count, and average precision with a cut-off divides by the number of all relevant passages. Among
    passages with equal scores, the one given first ranks first; pass them by id descending to follow trec_eval.

    Args:
        measure: a name such as `map`, `ndcg@10`, `recall@100` or `rank_distance`.
        empty_target_action: treatment of queries without a relevant passage: `skip` leaves them out (trec_eval), `neg`
            counts them as zero, `error` raises.
        kwargs: arguments of torchmetrics' `Metric`.

    Raises:
        ValueError: the measure or action is unknown, or the measure needs the languages of passages.
    """

    is_differentiable = False
    full_state_update = False

    indexes: list[Tensor]
    preds: list[Tensor]
    target: list[Tensor]

    def __init__(self, measure: str, empty_target_action: str = "skip", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        parsed = Measure.parse(measure)
        if Needs.LANGUAGES in parsed.needs or not isinstance(parsed, RankMeasure):
            raise ValueError(f"{measure} needs the languages of passages; use hybrid_ir.evaluation.evaluator")
        if empty_target_action not in EMPTY:
            raise ValueError(f"`empty_target_action` must be one of {', '.join(EMPTY)}, got {empty_target_action!r}")
        self.measure, self.empty_target_action = parsed, empty_target_action
        for state in ("indexes", "preds", "target"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]
        """Whether higher values of the measure are better."""
        return self.measure.direction is Direction.HIGHER

    def update(self, preds: Tensor, target: Tensor, indexes: Tensor) -> None:
        """Add scored passages; the passages of one query may be spread over several calls.

        Args:
            preds: floating point, any shape: scores.
            target: bool or integers 0 and 1, the same shape: whether the passage is relevant.
            indexes: integers, the same shape: the query that each passage was scored for.

        Raises:
            ValueError: a shape or dtype is wrong, relevance is not binary, or a score is not finite.
        """
        if not preds.shape == target.shape == indexes.shape:
            shapes = ", ".join(str(tuple(part.shape)) for part in (preds, target, indexes))
            raise ValueError(f"preds, target and indexes must have one shape, not {shapes}")
        if not preds.is_floating_point() or target.is_floating_point() or indexes.is_floating_point():
            raise ValueError("preds must be floating point, target and indexes whole numbers")
        if not preds.isfinite().all():
            raise ValueError("a score is not finite")
        if ((target != 0) & (target != 1)).any():
            raise ValueError("target must be 0 or 1: relevance is binary here")
        self.preds.append(preds.detach().flatten())
        self.target.append(target.flatten().bool())
        self.indexes.append(indexes.flatten().long())

    def compute(self) -> Tensor:
        """The mean over queries: float64 ().

        Raises:
            ValueError: no query has a relevant passage, or one has none and the action is `error`.
        """
        preds, target, indexes = (dim_zero_cat(part) for part in (self.preds, self.target, self.indexes))
        queries, lists = _rank_lists(preds, target, indexes)
        empty = queries - len(lists.counts)
        if empty and self.empty_target_action == "error":
            raise ValueError(f"{empty} of {queries} queries have no relevant passage")
        total = queries if self.empty_target_action == "neg" else len(lists.counts)
        if not total:
            raise ValueError("there is no query with a relevant passage")
        values = self.measure(lists) if len(lists.counts) else np.zeros(0)
        return torch.tensor(values.sum() / total, dtype=torch.float64, device=preds.device)


def _rank_lists(preds: Tensor, target: Tensor, indexes: Tensor) -> tuple[int, RankLists]:
    """The number of queries, and the ranks of the relevant passages of queries that have any."""
    order = preds.argsort(descending=True, stable=True)
    order = order[indexes[order].argsort(stable=True)]
    _, sizes = indexes.unique(return_counts=True)
    begins = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    ranks = torch.arange(1, len(order) + 1, device=order.device) - begins
    relevant = target[order]
    query = torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)[relevant]
    counts = query.bincount(minlength=len(sizes)).cpu().numpy()
    offsets = np.concatenate([[0], np.cumsum(counts[counts > 0])])
    return len(sizes), RankLists(offsets=offsets, ranks=ranks[relevant].cpu().numpy())
