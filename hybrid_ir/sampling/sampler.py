"""Hands a plan's batches to a DataLoader, one rank's slice at a time."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from hybrid_ir.sampling.plan import Batch, BatchPlan


class BatchPlanSampler(Sampler[Batch]):
    """Yields this rank's slices of the planned batches, from a position in an epoch to the epoch's end.

    Use it as `DataLoader(dataset, sampler=BatchPlanSampler(...), batch_size=None)`: an index is then a whole batch, and
    Lightning finds `set_epoch` where it looks for it (it never looks at `batch_sampler`). All ranks hold the same plan,
    so a step has one batch kind everywhere and no communication is needed.

    Args:
        plan: the plan.
        rank: this process.
        world_size: number of processes.
        fixed_epoch: stay in epoch 0 for ever, as validation does.

    Raises:
        ValueError: the global batch does not divide by the number of processes.
    """

    def __init__(self, plan: BatchPlan, rank: int = 0, world_size: int = 1, fixed_epoch: bool = False) -> None:
        if plan.batch_size % world_size:
            raise ValueError(
                f"data.batch_size={plan.batch_size} is the global batch and must divide by the {world_size} processes"
            )
        self.plan, self.rank, self.world_size, self.fixed_epoch = plan, rank, world_size, fixed_epoch
        self.epoch, self.start = 0, 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of `epoch`; staying in the same epoch keeps the position."""
        if epoch != self.epoch and not self.fixed_epoch:
            self.epoch, self.start = epoch, 0

    def __iter__(self) -> Iterator[Batch]:
        plan = self.plan.epoch(self.epoch)
        start, self.start = self.start, 0
        for step in range(start, len(plan)):
            yield plan[step].slice(self.rank, self.world_size)

    def __len__(self) -> int:
        """Batches of a whole epoch, whatever the position: Lightning counts the consumed ones itself."""
        return len(self.plan)
