"""Schemas of whole configurations: one a program."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from hybrid_ir.config.schemas.groups import CorporaConfig, DataConfig, EvalConfig, PathsConfig, TeacherConfig
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.run_scoring import RUN_MEASURES
from hybrid_ir.mining.mining_config import MiningConfig
from hybrid_ir.search.index.index_config import IndexConfig
from hybrid_ir.search.search_config import SearchConfig
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


@dataclass
class MineSchema:
    """Everything `python -m hybrid_ir.mine` takes."""

    name: str = MISSING
    checkpoint: str | None = None
    device: str = "auto"
    query_chunk: int = 1024
    out: str = MISSING
    mining: MiningConfig = field(default_factory=MiningConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None
    data: CorporaConfig = field(default_factory=CorporaConfig)


@dataclass
class ExportSchema:
    """Everything `python -m hybrid_ir.export` takes.

    Attributes:
        checkpoint: a .ckpt file, or a run's folder.
        out: the folder to write.
        overwrite: replace an earlier export at `out`, and the content of the repository of `push`.
        onnx: also write the whole encoder as an ONNX graph.
        license: of the weights, by the hub's identifier (`mit`, `cc-by-sa-4.0`, `other`); null states none.
        push: repository of the hub to upload to, `ORG/NAME`; null for none.
        private: make that repository a private one, where it does not exist yet.
    """

    name: str = MISSING
    checkpoint: str = MISSING
    out: str = MISSING
    overwrite: bool = False
    onnx: bool = False
    license: str | None = None
    push: str | None = None
    private: bool = True
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class IndexSchema(IndexConfig):
    """Everything `python -m hybrid_ir.index` takes."""

    name: str = MISSING
    checkpoint: str | None = None
    device: str = "auto"
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None


@dataclass
class SearchSchema(SearchConfig):
    """Everything `python -m hybrid_ir.search` takes."""

    name: str = MISSING
    device: str = "auto"
    query_chunk: int = 1024
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class CheckSchema:
    """Everything `python -m hybrid_ir.data` takes."""

    check: str = MISSING
    tokenizer: str | None = None
    json: bool = False
