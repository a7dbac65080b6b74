"""How alpha moves in the course of a run, as a function of progress alone."""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SHAPES = ("linear", "cosine")


class AlphaSchedule(Protocol):
    """The way that alpha takes to its final value, `sampler.alpha`.

    Attributes:
        batches: batches that the way takes, from the start of training; None for all that the run plans to train on.
    """

    batches: int | None

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        """Alpha at points of the way.

        Args:
            progress: float64 (N,), the share of the way done, from 0 (first batch) to 1 (last batch, and ever after).
            alpha: the final value.

        Returns:
            float64 (N,), each in [0, 1].
        """

    def bounds(self, alpha: float) -> tuple[float, float]:
        """The least and the greatest value on the way."""


@dataclass(frozen=True)
class Constant:
    """Alpha from the first batch to the last."""

    batches: int | None = None

    def __post_init__(self) -> None:
        _check_batches(self.batches)

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        return np.full(len(progress), alpha)

    def bounds(self, alpha: float) -> tuple[float, float]:
        return alpha, alpha


@dataclass(frozen=True)
class Ramp:
    """From `start` in the first batch to alpha in the last, along a straight line or half a cosine.

    The cosine, alpha + (start - alpha) * (1 + cos(pi * progress)) / 2, is flat at both ends.

    Raises:
        ValueError: `start` outside [0, 1], another shape, or `batches` below 1.
    """

    start: float
    shape: str = "linear"
    batches: int | None = None

    def __post_init__(self) -> None:
        _check_alpha("sampler.schedule.start", self.start)
        if self.shape not in SHAPES:
            raise ValueError(f"sampler.schedule.shape is {self.shape!r}; there are {', '.join(SHAPES)}")
        _check_batches(self.batches)

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        left = 1 - progress if self.shape == "linear" else (1 + np.cos(np.pi * progress)) / 2
        return alpha * (1 - left) + self.start * left

    def bounds(self, alpha: float) -> tuple[float, float]:
        return min(self.start, alpha), max(self.start, alpha)


@dataclass(frozen=True)
class Steps:
    """`values[i]` until the share `until[i]` of the way is done, then the next one, and alpha after the last.

    Raises:
        ValueError: no or unequally many entries, a value outside [0, 1], or shares that do not rise within (0, 1].
    """

    values: tuple[float, ...]
    until: tuple[float, ...]
    batches: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))  # lists where they come from a configuration
        object.__setattr__(self, "until", tuple(self.until))
        for value in self.values:
            _check_alpha("sampler.schedule.values", value)
        bounds = (0.0, *self.until)
        rising = all(low < high for low, high in zip(bounds, self.until, strict=False)) and bounds[-1] <= 1
        if not self.values or len(self.values) != len(self.until) or not rising:
            raise ValueError(
                f"sampler.schedule has values={list(self.values)} and until={list(self.until)}; there must be as many "
                "of each, at least one, and until must rise within (0, 1], such as values=[1,0.5] until=[0.25,0.75]"
            )
        _check_batches(self.batches)

    def __call__(self, progress: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        return np.asarray((*self.values, alpha))[np.searchsorted(self.until, progress, side="right")]

    def bounds(self, alpha: float) -> tuple[float, float]:
        return min(*self.values, alpha), max(*self.values, alpha)


def _check_alpha(field: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{field} is {value}; alpha is a probability and must lie in [0, 1]")


def _check_batches(batches: int | None) -> None:
    if batches is not None and batches < 1:
        raise ValueError(f"sampler.schedule.batches is {batches}; it must be at least 1")


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
