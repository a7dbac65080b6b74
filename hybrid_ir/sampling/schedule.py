"""Alpha schedules, and the planned length of training that they run over.

The value of a schedule depends only on progress, the share of the schedule that is done.
"""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SHAPES = ("linear", "cosine")


class AlphaSchedule(Protocol):
    """Protocol of an alpha schedule: how alpha reaches its final value, `sampler.alpha`.

    Attributes:
        batches: length of the schedule in batches, from the start of training; None for all planned batches.
    """

    batches: int | None

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        """Alpha at given points of the schedule.

        Args:
            progress: float64 (N,), share of the schedule that is done: 0 at the first batch, 1 from the last one on.
            alpha: the final value.

        Returns:
            float64 (N,), each in [0, 1].
        """

    def bounds(self, alpha: float) -> tuple[float, float]:
        """The smallest and the largest value of the schedule."""


@dataclass(frozen=True)
class Constant:
    """Constant schedule: the final alpha in every batch."""

    batches: int | None = None

    def __post_init__(self) -> None:
        _check_batches(self.batches)

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        return np.full(len(progress), alpha)

    def bounds(self, alpha: float) -> tuple[float, float]:
        return alpha, alpha


@dataclass(frozen=True)
class Ramp:
    """Schedule from `start` in the first batch to alpha in the last, along a straight line or half a cosine.

    The cosine, alpha + (start - alpha) * (1 + cos(pi * progress)) / 2, is flat at both ends.

    Raises:
        ValueError: `start` is outside [0, 1], `shape` is unknown, or `batches` is below 1.
    """

    start: float
    shape: str = "linear"
    batches: int | None = None

    def __post_init__(self) -> None:
        _check_alpha("sampler.schedule.start", self.start)
        if self.shape not in SHAPES:
            raise ValueError(f"`sampler.schedule.shape` must be {' or '.join(SHAPES)}, got {self.shape!r}")
        _check_batches(self.batches)

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        left = 1 - progress if self.shape == "linear" else (1 + np.cos(np.pi * progress)) / 2
        return alpha * (1 - left) + self.start * left

    def bounds(self, alpha: float) -> tuple[float, float]:
        return min(self.start, alpha), max(self.start, alpha)


@dataclass(frozen=True)
class Steps:
    """Stepwise schedule: `values[i]` until the share `until[i]` is done, then the next value, and alpha after the last.

    Raises:
        ValueError: `values` and `until` are empty or have different lengths, a value is outside [0, 1], or `until` does
            not increase within (0, 1].
    """

    values: tuple[float, ...]
    until: tuple[float, ...]
    batches: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))  # a configuration gives lists
        object.__setattr__(self, "until", tuple(self.until))
        for value in self.values:
            _check_alpha("sampler.schedule.values", value)
        bounds = (0.0, *self.until)
        rising = all(low < high for low, high in zip(bounds, self.until, strict=False)) and bounds[-1] <= 1
        if not self.values or len(self.values) != len(self.until) or not rising:
            raise ValueError(
                "`sampler.schedule.values` and `until` must have the same length, at least 1, and `until` must "
                f"increase within (0, 1], such as values=[1,0.5] until=[0.25,0.75]; got values={list(self.values)} and "
                f"until={list(self.until)}"
            )
        _check_batches(self.batches)

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        return np.asarray((*self.values, alpha))[np.searchsorted(self.until, progress, side="right")]

    def bounds(self, alpha: float) -> tuple[float, float]:
        return min(*self.values, alpha), max(*self.values, alpha)


def _check_alpha(field: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"`{field}` must be in [0, 1], got {value}")


def _check_batches(batches: int | None) -> None:
    if batches is not None and batches < 1:
        raise ValueError(f"`sampler.schedule.batches` must be at least 1, got {batches}")


@dataclass(frozen=True)
class RunLength:
    """The planned length of training, in terms of Lightning's Trainer. Early stopping may end training sooner.

    Attributes:
        max_epochs: number of epochs; None or -1 for no limit.
        max_steps: number of optimizer steps; -1 for no limit.
        limit_train_batches: number (int) or share (float) of the batches used in each epoch; None for all.
        accumulate_grad_batches: batches per optimizer step; the last step of an epoch may have fewer.
    """

    max_epochs: int | None = None
    max_steps: int = -1
    limit_train_batches: int | float | None = None
    accumulate_grad_batches: int = 1

    def used(self, per_epoch: int) -> int:
        """Number of batches used in an epoch of `per_epoch` batches."""
        limit = self.limit_train_batches
        if limit is None:
            return per_epoch
        return min(per_epoch, limit) if isinstance(limit, int) else int(per_epoch * limit)

    def batches(self, per_epoch: int) -> int | None:
        """Number of batches of the whole run, or None if there is no limit."""
        used, ends = self.used(per_epoch), []
        if self.max_epochs is not None and self.max_epochs >= 0:
            ends.append(self.max_epochs * used)
        if self.max_steps >= 0:
            steps = -(-used // self.accumulate_grad_batches)
            epochs, rest = divmod(self.max_steps, max(1, steps))
            ends.append(epochs * used + min(rest * self.accumulate_grad_batches, used))
        return min(ends, default=None)


RUN_LENGTH = tuple(field.name for field in fields(RunLength))  # keys of `trainer` in the configuration


@dataclass(frozen=True)
class Horizon:
    """The span of training that a schedule runs over.

    Attributes:
        per_epoch: number of batches used in an epoch.
        batches: length of the schedule in batches, from the first batch of the run.
    """

    per_epoch: int
    batches: int

    def progress(self, epoch: int, steps: int) -> NDArray[np.float64]:
        """float64 (steps,): share of the schedule that is done at each step of an epoch."""
        return self.at(epoch * self.per_epoch + np.arange(steps))

    def at(self, positions: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of the schedule that is done at batches counted from the first of the run.

        It is 0 at the first batch of the run, and 1 from the last batch of the schedule on.
        """
        return np.minimum(positions / max(1, self.batches - 1), 1.0)
