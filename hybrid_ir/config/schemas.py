"""Typed schemas of the configuration groups that are this project's own.

They make Hydra refuse a misspelt key or a wrong type. Readers, benchmark loaders, trainer, loggers and callbacks are
plain YAML: they name a function or class by `_target_` and list its arguments.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from hybrid_ir.data.datamodule import BatchConfig
from hybrid_ir.data.readers.options import check_choice
from hybrid_ir.index.config import IndexConfig
from hybrid_ir.leakage.guard import IGNORE, POLICIES, STOP
from hybrid_ir.mine.config import MiningConfig
from hybrid_ir.model.build import ModelConfig
from hybrid_ir.model.optimizer import OptimizerConfig
from hybrid_ir.retrieval.bfloat16 import FULL, check_precision
from hybrid_ir.retrieval.evaluator import DEFAULT_MEASURES
from hybrid_ir.retrieval.run_scoring import RUN_MEASURES
from hybrid_ir.search.config import SearchConfig


@dataclass
class DataConfig(BatchConfig):
    """`BatchConfig`, the corpora to draw from, and what is done where they hold texts of the evaluation sets.

    Attributes:
        corpora: name -> reader and its arguments.
        on_leakage: where training questions are evaluation queries: `stop`, `drop` or `ignore`.
        on_shared_passages: where training passages are evaluation passages: the same.
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
    """See `hybrid_ir.retrieval.subset`.

    Attributes:
        queries: topics of each language.
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
        every_n_steps: evaluate on subsets after every n-th optimiser step, and when an epoch ends; null for never.
        subset: how much of each benchmark is judged then, as `{name}_subset`.
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


@dataclass
class LossConfig:
    """See `InfoNCE`."""

    _target_: str = "hybrid_ir.model.loss.InfoNCE"
    temperature: float = 0.05
    learn_temperature: bool = False
    min_temperature: float = 0.01
    max_temperature: float = 1.0
    symmetric: bool = False
    mask_false_negatives: bool = True


@dataclass
class DistillationConfig(LossConfig):
    """See `hybrid_ir.model.distillation.Distillation`."""

    _target_: str = "hybrid_ir.model.distillation.Distillation"
    weight: float = 0.5
    teacher_temperature: float = 0.05


@dataclass
class PooledConfig(LossConfig):
    """See `hybrid_ir.model.pooled.Pooled`."""

    _target_: str = "hybrid_ir.model.pooled.Pooled"
    languages: int = 2


@dataclass
class SemanticContrastiveConfig(LossConfig):
    """See `hybrid_ir.model.semantic_contrastive.SemanticContrastive`."""

    _target_: str = "hybrid_ir.model.semantic_contrastive.SemanticContrastive"
    weight: float = 0.5
    parallel_temperature: float = 0.05
    questions: int = 0
    passages: int = 1


@dataclass
class LanguageContrastiveConfig(SemanticContrastiveConfig):
    """See `hybrid_ir.model.language_contrastive.LanguageContrastive`."""

    _target_: str = "hybrid_ir.model.language_contrastive.LanguageContrastive"
    semantic_weight: float = 0.0


@dataclass
class RankingAlignmentConfig(LossConfig):
    """See `hybrid_ir.model.lakda.RankingAlignment`."""

    _target_: str = "hybrid_ir.model.lakda.RankingAlignment"
    weight: float = 0.5
    ranking_temperature: float = 0.05
    questions: int = 1
    reference: str | None = None


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
        cache: folder of built corpora and vocabularies; safe to delete.
        outputs: folder that run folders are made in.
        run: this run's folder.
    """

    data: str = MISSING
    cache: str = MISSING
    outputs: str = MISSING
    run: str | None = MISSING  # None where `--cfg` shows a configuration without running it


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
class CorporaConfig:
    """The corpora to read.

    Attributes:
        corpora: name -> reader and its arguments.
    """

    corpora: dict[str, Any] = field(default_factory=dict)


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


def register() -> None:
    """Make the schemas known to Hydra, under the group `schema`, which no user chooses from."""
    store = ConfigStore.instance()
    store.store(group="schema", name="train", node=TrainSchema, package="_global_")
    store.store(group="schema", name="evaluate", node=EvaluateSchema, package="_global_")
    store.store(group="schema", name="check", node=CheckSchema, package="_global_")
    store.store(group="schema", name="mine", node=MineSchema, package="_global_")
    store.store(group="schema", name="export", node=ExportSchema, package="_global_")
    store.store(group="schema", name="index", node=IndexSchema, package="_global_")
    store.store(group="schema", name="search", node=SearchSchema, package="_global_")
    store.store(group="schema/loss", name="infonce", node=LossConfig)
    store.store(group="schema/loss", name="distillation", node=DistillationConfig)
    store.store(group="schema/loss", name="pooled", node=PooledConfig)
    store.store(group="schema/loss", name="semantic_contrastive", node=SemanticContrastiveConfig)
    store.store(group="schema/loss", name="language_contrastive", node=LanguageContrastiveConfig)
    store.store(group="schema/loss", name="lakda", node=RankingAlignmentConfig)
    store.store(group="schema/sampler", name="hybrid", node=HybridPolicyConfig)
    store.store(group="schema/sampler", name="single", node=SinglePolicyConfig)
    store.store(group="schema/sampler/schedule", name="constant", node=ConstantScheduleConfig)
    store.store(group="schema/sampler/schedule", name="ramp", node=RampScheduleConfig)
    store.store(group="schema/sampler/schedule", name="steps", node=StepsScheduleConfig)
