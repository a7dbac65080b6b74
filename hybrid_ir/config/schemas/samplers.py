"""Schemas of the choices in `sampler` and `sampler/schedule`."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class LanguageWeightsConfig:
    """See `hybrid_ir.sampling.weights.LanguageWeights`, which checks the mappings: Hydra cannot set a typed one."""

    _target_: str = "hybrid_ir.sampling.weights.LanguageWeights"
    question: Any = None
    passage: Any = None
    pairs: Any = None
    temperature: float | None = None


@dataclass
class ConstantScheduleConfig:
    """See `hybrid_ir.sampling.schedule.Constant`.

    Attributes:
        batches: without influence; the other schedules take as many batches.
    """

    _target_: str = "hybrid_ir.sampling.schedule.Constant"
    batches: int | None = None


@dataclass
class RampScheduleConfig:
    """See `hybrid_ir.sampling.schedule.Ramp`.

    Attributes:
        shape: `linear` or `cosine`.
        start: alpha of the first batch.
        batches: that the way to `sampler.alpha` takes; None for all that the run plans.
    """

    _target_: str = "hybrid_ir.sampling.schedule.Ramp"
    shape: str = MISSING
    start: float = MISSING
    batches: int | None = None


@dataclass
class StepsScheduleConfig:
    """See `hybrid_ir.sampling.schedule.Steps`.

    Attributes:
        values: alpha of each step before the last, which is `sampler.alpha`.
        until: the share of the way that is done when each of them ends, ascending.
        batches: of the whole way; None for all that the run plans.
    """

    _target_: str = "hybrid_ir.sampling.schedule.Steps"
    values: list[float] = MISSING
    until: list[float] = MISSING
    batches: int | None = None


@dataclass
class HybridPolicyConfig:
    """See `hybrid_ir.sampling.policy.Hybrid`. `Any`: the choice in `sampler/schedule` gives its schema.

    Attributes:
        name: for logs and reports.
        alpha: probability that a batch is monolingual; with a schedule, the value that it ends at.
        languages: the only languages to draw; None for all of the corpora.
        schedule: how alpha comes to its value.
    """

    _target_: str = "hybrid_ir.sampling.policy.Hybrid"
    name: str = "hybrid"
    alpha: float = 0.5
    languages: list[str] | None = None
    weights: LanguageWeightsConfig = field(default_factory=LanguageWeightsConfig)
    schedule: Any = None


@dataclass
class SinglePolicyConfig:
    """See `hybrid_ir.sampling.policy.Single`.

    Attributes:
        name: for logs and reports.
        kind: of every batch: `monolingual`, `crosslingual` or `mixed`.
        languages: the only languages to draw; None for all of the corpora.
    """

    _target_: str = "hybrid_ir.sampling.policy.Single"
    name: str = MISSING
    kind: str = MISSING
    languages: list[str] | None = None
    weights: LanguageWeightsConfig = field(default_factory=LanguageWeightsConfig)
