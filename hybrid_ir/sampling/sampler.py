"""PyTorch sampler over a batch plan: yields the batches of one rank to a DataLoader."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from hybrid_ir.sampling.plan import Batch, BatchPlan


class BatchPlanSampler(Sampler[Batch]):
    """Sampler of this rank's slices of the planned batches, from a position in an epoch to its end.

    Use it as `DataLoader(dataset, sampler=BatchPlanSampler(...), batch_size=None)`: each index is then a whole batch,
    and Lightning finds `set_epoch` (which it never looks for on a `batch_sampler`). All ranks compute the same plan, so
    all of them have the same batch kind in a step, without communication.

    Args:
        plan: the batch plan.
        rank: rank of this process.
        world_size: number of processes.
        fixed_epoch: always stay in epoch 0, as validation does.

    Raises:
        ValueError: the global batch size is not divisible by the number of processes.
    """

    def __init__(self, plan: BatchPlan, rank: int = 0, world_size: int = 1, fixed_epoch: bool = False) -> None:
        if plan.batch_size % world_size:
            raise ValueError(
                "`data.batch_size` is the global batch size and must be divisible by the number of processes, got "
                f"{plan.batch_size} for {world_size} processes"
            )
        self.plan, self.rank, self.world_size, self.fixed_epoch = plan, rank, world_size, fixed_epoch
        self.epoch, self.start = 0, 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of `epoch`. The position is kept if it is the current epoch."""
        if epoch != self.epoch and not self.fixed_epoch:
            self.epoch, self.start = epoch, 0

    def __iter__(self) -> Iterator[Batch]:
        plan = self.plan.epoch(self.epoch)
        start, self.start = self.start, 0
        for step in range(start, len(plan)):
            yield plan[step].slice(self.rank, self.world_size)

    def __len__(self) -> int:
        """Batches of a whole epoch, whatever the position: Lightning itself subtracts those already consumed."""
        return len(self.plan)
