"""Schemas of whole configurations: one a program."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from hybrid_ir.config.schemas.groups import DataConfig, EvalConfig, PathsConfig, TeacherConfig
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.run_scoring import RUN_MEASURES
from hybrid_ir.training.optimizer import OptimizerConfig


@dataclass
class TrainSchema:
    """Everything `train.py` takes. `Any` marks a group of library objects, or one that the choice gives its schema."""

    name: str = MISSING
    seed: int = 1
    ckpt_path: str | None = None
    resume_changes: list[str] = field(default_factory=list)
    objective: str | None = None
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    sampler: Any = MISSING
    data: DataConfig = field(default_factory=DataConfig)
    loss: Any = MISSING
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    optim: OptimizerConfig = field(default_factory=OptimizerConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    trainer: Any = MISSING
    callbacks: Any = None
    logger: Any = None


@dataclass
class EvaluateSchema:
    """Everything `evaluate.py` takes."""

    name: str = MISSING
    checkpoint: str | None = None
    device: str = "auto"
    query_chunk: int = 1024
    cache_gib: float = 4.0
    run: str | None = None
    qrels: str | None = None
    run_measures: list[str] = field(default_factory=lambda: list(RUN_MEASURES))
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None
    eval: EvalConfig = field(default_factory=EvalConfig)
