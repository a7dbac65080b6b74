"""A DataLoader whose position is part of the checkpoint."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from hybrid_ir.model.pair_batch import PairBatch
from hybrid_ir.sampling.sampler import BatchPlanSampler


class PlannedLoader(DataLoader[PairBatch]):
    """Serves a plan's batches and remembers how many it has handed out.

    Lightning keeps `state_dict` in its checkpoints. The count is taken where batches leave the loader, not where
    workers fetch them ahead, and `__iter__` is a generator, so nothing is drawn before Lightning has set the epoch: a
    resumed run sees exactly the batches that the interrupted one had left.

    Raises (`load_state_dict`):
        ValueError: the checkpoint was written under another plan.
    """

    sampler: BatchPlanSampler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._served = 0

    def __iter__(self) -> Iterator[PairBatch]:  # type: ignore[override]
        self._served = self.sampler.start
        for batch in super().__iter__():
            self._served += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        return {
            "plan": self.sampler.plan.fingerprint(),
            "epoch": self.sampler.epoch,
            "served": self._served,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["plan"] != self.sampler.plan.fingerprint():
            raise ValueError(
                "the checkpoint belongs to another batch plan: seed, sampler, data.batch_size, data.languages or the "
                "corpora differ from this run's; resume with the configuration in the run's config.yaml"
            )
        self.sampler.set_epoch(state["epoch"])
        self.sampler.start = state["served"] % len(self.sampler)
