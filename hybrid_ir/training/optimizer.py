"""AdamW with decay groups, and a learning rate schedule over optimiser steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler

from hybrid_ir.sources.errors import check_choice

SCHEDULES = ("linear", "cosine", "constant_with_warmup")
MATRICES, ALL = "matrices", "all"
DECAYS = (MATRICES, ALL)


@dataclass
class OptimizerConfig:
    """Settings of AdamW and its schedule. Learning rate and weight decay are the paper's (section 3.1).

    Attributes:
        learning_rate: peak learning rate.
        weight_decay: AdamW's decoupled decay.
        decay: what decays: `matrices`, or `all` parameters, with biases, norms and a learned temperature.
        warmup: share of all optimiser steps, in [0, 1), during which the rate rises from zero.
        schedule: after the warm-up: `linear` or `cosine` down to zero, or `constant_with_warmup`.
        betas: AdamW's moment decays.
        eps: AdamW's epsilon.
        fused: use PyTorch's fused kernel.
    """

    learning_rate: float = 3e-5
    weight_decay: float = 1e-2
    decay: str = MATRICES
    warmup: float = 0.1
    schedule: str = "linear"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    fused: bool = True

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"optim.schedule is {self.schedule!r}; there are {', '.join(SCHEDULES)}")
        check_choice("optim.decay", self.decay, DECAYS)
        if self.learning_rate <= 0 or not 0 <= self.warmup < 1:
            raise ValueError(
                f"optim.learning_rate={self.learning_rate} must be positive and optim.warmup={self.warmup} in [0, 1)"
            )


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float, decay: str) -> list[dict[str, object]]:
    """Two groups of the trainable parameters: matrices; biases, norms and the temperature, by default without decay."""
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    others = weight_decay if decay == ALL else 0.0
    groups = [
        {"params": [parameter for parameter in trainable if parameter.ndim >= 2], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trainable if parameter.ndim < 2], "weight_decay": others},
    ]
    return [group for group in groups if group["params"]]


def build_optimizer(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter], total_steps: int
) -> tuple[Optimizer, LambdaLR]:
    """Optimiser and schedule for a run of `total_steps` optimiser steps."""
    optimizer = AdamW(
        decay_groups(parameters, config.weight_decay, config.decay),
        lr=config.learning_rate,
        betas=(config.betas[0], config.betas[1]),
        eps=config.eps,
        fused=config.fused,
    )
    scheduler = get_scheduler(
        config.schedule, optimizer, num_warmup_steps=round(config.warmup * total_steps), num_training_steps=total_steps
    )
    return optimizer, scheduler


def settings_of(optimizer: Optimizer) -> list[dict[str, Any]]:
    """The settings of each parameter group, without the parameters."""
    return [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]


def follow_schedule(optimizer: Optimizer, scheduler: LambdaLR, settings: Sequence[Mapping[str, Any]]) -> None:
    """Apply this run's settings and schedule to an optimiser resumed from a checkpoint, at the steps already taken.

    A checkpoint restores not only moments and counters, but also the settings it was written with: a prolonged run
    would take its first step at the rate that the shorter schedule had reached. With unchanged settings, training is
    the same bit for bit.

    Args:
        optimizer: with the checkpoint's state loaded.
        scheduler: likewise.
        settings: `settings_of` the optimiser before that state was loaded.
    """
    scheduler.base_lrs = [group["initial_lr"] for group in settings]
    for group, configured, factor in zip(optimizer.param_groups, settings, scheduler.lr_lambdas, strict=True):
        group.update(configured)
        group["lr"] = group["initial_lr"] * factor(scheduler.last_epoch)
