"""How many batches a run plans to train on, and where in the run a batch lies."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RunLength:
    """When training ends by plan, in the terms of Lightning's Trainer; early stopping may end it before.

    Attributes:
        max_epochs: epochs, or None or -1 for no limit.
        max_steps: optimiser steps, or -1 for no limit.
        limit_train_batches: batches used of every epoch (int) or the share of them (float); None for all.
        accumulate_grad_batches: batches of an optimiser step; the last one of an epoch may have fewer.
    """

    max_epochs: int | None = None
    max_steps: int = -1
    limit_train_batches: int | float | None = None
    accumulate_grad_batches: int = 1

    def used(self, per_epoch: int) -> int:
        """Batches trained on in an epoch that has `per_epoch` of them."""
        limit = self.limit_train_batches
        if limit is None:
            return per_epoch
        return min(per_epoch, limit) if isinstance(limit, int) else int(per_epoch * limit)

    def batches(self, per_epoch: int) -> int | None:
        """Batches of the whole run; None where nothing limits it."""
        used, ends = self.used(per_epoch), []
        if self.max_epochs is not None and self.max_epochs >= 0:
            ends.append(self.max_epochs * used)
        if self.max_steps >= 0:
            steps = -(-used // self.accumulate_grad_batches)
            epochs, rest = divmod(self.max_steps, max(1, steps))
            ends.append(epochs * used + min(rest * self.accumulate_grad_batches, used))
        return min(ends, default=None)


RUN_LENGTH = tuple(field.name for field in fields(RunLength))  # keys of the trainer


@dataclass(frozen=True)
class Horizon:
    """What a schedule runs over.

    Attributes:
        per_epoch: batches trained on in an epoch.
        batches: batches from the first, where the schedule starts, to the last, where it ends.
    """

    per_epoch: int
    batches: int

    def progress(self, epoch: int, steps: int) -> NDArray[np.float64]:
        """float64 (steps,): the share of the way done at every step of an epoch: 0 at the first batch of the run, 1 at
        the last batch of the schedule and after it."""
        positions = epoch * self.per_epoch + np.arange(steps)
        return np.minimum(positions / max(1, self.batches - 1), 1.0)
