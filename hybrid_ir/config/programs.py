"""Configuration schemas: the project's own groups, and the full configurations of `train.py` and `evaluate.py`.

Users read and change defaults in `conf/`, which documents every key. The defaults here are for code that builds these
classes directly, and for configurations of older versions that lack a key. A test checks that both agree.
"""

from dataclasses import dataclass, field
from typing import Any

from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES
from hybrid_ir.evaluation.run_scoring import RUN_MEASURES
from hybrid_ir.evaluation.vectors.encoder import FULL, check_precision
from hybrid_ir.leakage.guard import IGNORE, POLICIES, STOP
from hybrid_ir.sources.errors import check_choice
from hybrid_ir.training.data.batch_config import BatchConfig
from hybrid_ir.training.optimizer import OptimizerConfig


@dataclass
class ValidationConfig:
    """Corpora of the validation loss, chosen with `data/validation=NAME`; they are not trained on.

    Attributes:
        corpora: name -> reader and its arguments.
        sampler: their batch policy, chosen with `sampler@data.validation.sampler=NAME`; None for monolingual batches in
            all languages of the corpora.
    """

    corpora: dict[str, Any] = field(default_factory=dict)
    sampler: Any = None


@dataclass
class DataConfig(BatchConfig):
    """Training data: the batches (`BatchConfig`), the corpora, and what to do about evaluation texts in them.

    Attributes:
        corpora: name -> reader and its arguments.
        validation: corpora of the validation loss, in place of `holdout`.
        on_leakage: what to do if training questions are evaluation queries: `stop`, `drop` or `ignore`.
        on_shared_passages: the same for training passages that are evaluation passages.
    """

    corpora: dict[str, Any] = field(default_factory=dict)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    on_leakage: str = STOP
    on_shared_passages: str = IGNORE

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("on_leakage", "on_shared_passages"):
            check_choice(f"data.{name}", getattr(self, name), POLICIES)


@dataclass
class SubsetConfig:
    """Size of the benchmark subsets evaluated during epochs, see `hybrid_ir.evaluation.benchmarks.subset`.

    Attributes:
        queries: number of query groups per language.
        passages: number of passages per language, in addition to all relevant passages of the queries.
        seed: seed of both draws.
    """

    queries: int = 50
    passages: int = 500
    seed: int = 1


@dataclass
class EvalConfig:
    """Zero-shot evaluation: which benchmarks and measures, and when.

    Attributes:
        benchmarks: name -> loader and its arguments.
        measures: setting -> names of measures, for benchmarks whose loader has no `measures` of its own; those of
            language bias belong to the multilingual setting.
        every_n_epochs: evaluate after every n-th epoch.
        every_n_steps: evaluate on subsets after every n-th optimiser step, and when an epoch ends; None for never.
        subset: size of these subsets, which are named `{name}_subset`.
        at_start: whether to evaluate before training too, so that a run shows what training changed.
        save_runs: number of best passages per query to write as TREC runs; 0 writes none.
        precision: precision of the embeddings, `32-true` or `bf16-mixed`, independent of the training precision.
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
    """The teacher of `loss=distillation`: either a checkpoint or a pretrained model.

    Attributes:
        checkpoint: a .ckpt file, or a run's folder.
        model: a pretrained model, chosen with `model@teacher.model=labse`.
    """

    checkpoint: str | None = None
    model: ModelConfig | None = None


@dataclass
class PathsConfig:
    """Folders of the project.

    Attributes:
        data: folder of local data, such as `xquad_r/` and `mlqa_r/`.
        cache: folder of built corpora, vocabularies and vectors; safe to delete.
        outputs: folder in which run folders are created.
        run: this run's folder; None if `--cfg` shows a configuration without running it.
    """

    data: str
    cache: str
    outputs: str
    run: str | None


@dataclass
class CorporaConfig:
    """The corpora of a program that only reads data.

    Attributes:
        corpora: name -> reader and its arguments.
    """

    corpora: dict[str, Any]


@dataclass
class TrainConfig:
    """The configuration of `train.py`, see conf/train.yaml. Fields of type `Any` are built by their `_target_`."""

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
    """The configuration of `evaluate.py`, see conf/evaluate.yaml."""

    name: str
    device: str
    query_chunk: int
    cache_gib: float
    paths: PathsConfig
    checkpoint: str | None = None
    run: str | None = None
    qrels: str | None = None
    run_measures: list[str] = field(default_factory=lambda: list(RUN_MEASURES))
    run_relevance_level: int = 1
    run_ignore_identical_ids: bool = False
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None
    eval: EvalConfig = field(default_factory=EvalConfig)
