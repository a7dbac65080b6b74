"""What configurations hold: the groups that are this project's own, and the whole of `train.py` and `evaluate.py`.

YAML is where users read and change defaults: `conf/` names every key, its default and its meaning. Defaults here serve
code that builds these classes itself, and configurations of older versions that lack a key; a test compares the two.
"""

from dataclasses import dataclass, field
from typing import Any

from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES
from hybrid_ir.evaluation.run_scoring import RUN_MEASURES
from hybrid_ir.evaluation.vectors.encoder import FULL, check_precision
from hybrid_ir.leakage.guard import IGNORE, POLICIES, STOP
from hybrid_ir.sources.errors import check_choice
from hybrid_ir.training.data.datamodule import BatchConfig
from hybrid_ir.training.optimizer import OptimizerConfig


@dataclass
class DataConfig(BatchConfig):
    """`BatchConfig`, the corpora to draw from, and what to do if they hold texts of the evaluation sets.

    Attributes:
        corpora: name -> reader and its arguments.
        on_leakage: if training questions are evaluation queries: `stop`, `drop` or `ignore`.
        on_shared_passages: if training passages are evaluation passages: the same.
    """

    corpora: dict[str, Any] = field(default_factory=dict)
    on_leakage: str = STOP
    on_shared_passages: str = IGNORE

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("on_leakage", "on_shared_passages"):
            check_choice(f"data.{name}", getattr(self, name), POLICIES)


@dataclass
class SubsetConfig:
    """How much of a benchmark is evaluated between epochs, see `hybrid_ir.evaluation.benchmarks.subset`.

    Attributes:
        queries: query groups of each language.
        passages: of each language, besides all relevant passages of the queries.
        seed: of both draws.
    """

    queries: int = 50
    passages: int = 500
    seed: int = 1


@dataclass
class EvalConfig:
    """Which benchmarks, when.

    Attributes:
        benchmarks: name -> loader and its arguments.
        measures: setting -> names of measures, for benchmarks whose loader has no `measures` of its own; those of
            language bias belong to the multilingual setting.
        every_n_epochs: evaluate after every n-th epoch.
        every_n_steps: evaluate on subsets after every n-th optimiser step, and when an epoch ends; None for never.
        subset: how much of each benchmark that is, as `{name}_subset`.
        at_start: also evaluate before training, so that a run shows what training changed.
        save_runs: how many of the best passages of every query to write as TREC runs; 0 writes none.
        precision: what texts are embedded at: `32-true`, or `bf16-mixed`, whatever training's precision is.
    """

    benchmarks: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, list[str]] = field(
        default_factory=lambda: {setting: list(names) for setting, names in DEFAULT_MEASURES.items()}
    )
    every_n_epochs: int = 1
    every_n_steps: int | None = None
    subset: SubsetConfig = field(default_factory=SubsetConfig)
    at_start: bool = True
    save_runs: int = 0
    precision: str = FULL

    def __post_init__(self) -> None:
        check_precision(self.precision)
        if self.every_n_epochs < 1:
            raise ValueError(f"eval.every_n_epochs is {self.every_n_epochs}; it must be at least 1")
        if self.every_n_steps is not None and self.every_n_steps < 1:
            raise ValueError(f"eval.every_n_steps is {self.every_n_steps}; it must be at least 1, or null for none")
        if self.save_runs < 0:
            raise ValueError(f"eval.save_runs is {self.save_runs}; it must not be negative, and 0 writes no runs")


@dataclass
class TeacherConfig:
    """The encoder that `loss=distillation` learns from: one of the two.

    Attributes:
        checkpoint: a .ckpt file, or a run's folder.
        model: a pretrained model, chosen with `model@teacher.model=labse`.
    """

    checkpoint: str | None = None
    model: ModelConfig | None = None


@dataclass
class PathsConfig:
    """Where things are.

    Attributes:
        data: folder of local data: `xquad_r/`, `mlqa_r/`, ...
        cache: folder of built corpora, vocabularies and vectors; safe to delete.
        outputs: folder that run folders are made in.
        run: this run's folder; None if `--cfg` shows a configuration without running it.
    """

    data: str
    cache: str
    outputs: str
    run: str | None


@dataclass
class CorporaConfig:
    """The corpora to read.

    Attributes:
        corpora: name -> reader and its arguments.
    """

    corpora: dict[str, Any]


@dataclass
class TrainConfig:
    """Everything `train.py` takes, see conf/train.yaml. `Any` is built by its `_target_`."""

    name: str
    seed: int
    optimized_metric: str | None
    paths: PathsConfig
    sampler: Any
    loss: Any
    trainer: Any
    ckpt_path: str | None = None
    resume_changes: list[str] = field(default_factory=list)
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    optim: OptimizerConfig = field(default_factory=OptimizerConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    callbacks: dict[str, Any] | None = None
    logger: dict[str, Any] | None = None


@dataclass
class EvaluateConfig:
    """Everything `evaluate.py` takes, see conf/evaluate.yaml."""

    name: str
    device: str
    query_chunk: int
    cache_gib: float
    paths: PathsConfig
    checkpoint: str | None = None
    run: str | None = None
    qrels: str | None = None
    run_measures: list[str] = field(default_factory=lambda: list(RUN_MEASURES))
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None
    eval: EvalConfig = field(default_factory=EvalConfig)
