"""Stored configurations of older versions: their names today, and the defaults of fields that they lack.

Old checkpoints, results and indexes are read with the current names of classes, functions, keys and choices. For an old
key or choice on the command line, the error names the new one.
"""

import inspect
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, get_args

from hybrid_ir.config.programs import EvaluateConfig, TrainConfig
from hybrid_ir.config.signatures import OURS, REQUIRED, signature, signature_of

# The choices of `conf/`: what else a stored configuration names by `_target_` is never imported.
KNOWN_TARGETS = frozenset(
    (
        "hybrid_ir.data.readers.cldr_facts.read",
        "hybrid_ir.data.readers.mmarco.read",
        "hybrid_ir.data.readers.pair_table.read",
        "hybrid_ir.data.readers.parallel_jsonl.read",
        "hybrid_ir.data.readers.squad.read",
        "hybrid_ir.data.readers.squad_xtreme.read",
        "hybrid_ir.data.readers.squadshifts.read",
        "hybrid_ir.evaluation.baselines.bm25.BM25",
        "hybrid_ir.evaluation.baselines.random_scores.RandomEncoder",
        "hybrid_ir.evaluation.baselines.sentence_transformers.SentenceTransformerEncoder",
        "hybrid_ir.evaluation.benchmarks.cldr_questions.load_cldr",
        "hybrid_ir.evaluation.benchmarks.folder.load_folder",
        "hybrid_ir.evaluation.benchmarks.lareqa.load_lareqa",
        "hybrid_ir.evaluation.benchmarks.miracl.load_miracl",
        "hybrid_ir.evaluation.benchmarks.miracl.load_miracl_pool",
        "hybrid_ir.losses.distillation.Distillation",
        "hybrid_ir.losses.infonce.InfoNCE",
        "hybrid_ir.losses.ranking_alignment.RankingAlignment",
        "hybrid_ir.losses.language_contrastive.LanguageContrastive",
        "hybrid_ir.losses.pooled.Pooled",
        "hybrid_ir.losses.semantic_contrastive.SemanticContrastive",
        "hybrid_ir.reports.wandb.dashboard.WandbDashboard",
        "hybrid_ir.sampling.policy.Hybrid",
        "hybrid_ir.sampling.policy.Single",
        "hybrid_ir.sampling.schedule.Constant",
        "hybrid_ir.sampling.schedule.Ramp",
        "hybrid_ir.sampling.schedule.Steps",
        "hybrid_ir.sampling.weights.LanguageWeights",
        "hybrid_ir.training.callbacks.checkpoint_io.AtomicCheckpointIO",
        "hybrid_ir.training.callbacks.last_checkpoint.LastCheckpoint",
        "hybrid_ir.training.callbacks.progress.TrainingProgress",
        "hybrid_ir.training.data.loader.SameBatch",
    )
)

KEYS = {"objective": "optimized_metric"}
CHOICES = {  # group and choice
    ("experiment", "alpha_sweep"): ("sweep", "alpha"),
    ("experiment", "alpha_sweep_quick"): ("sweep", "alpha_quick"),
    ("experiment", "backbones"): ("sweep", "backbones"),
    ("experiment", "backbones_quick"): ("sweep", "backbones_quick"),
    ("experiment", "optuna"): ("sweep", "optuna"),
    ("experiment", "study_a"): ("study", "a"),
    ("experiment", "study_b"): ("study", "b"),
    ("experiment", "study_dev"): ("study", "dev"),
    ("experiment", "study_tuned"): ("study", "tuned"),
}

MOVED = {
    "hybrid_ir.callbacks.checkpoint_io": "hybrid_ir.training.callbacks.checkpoint_io",
    "hybrid_ir.callbacks.dashboard": "hybrid_ir.reports.wandb.dashboard",
    "hybrid_ir.callbacks.last_checkpoint": "hybrid_ir.training.callbacks.last_checkpoint",
    "hybrid_ir.callbacks.progress": "hybrid_ir.training.callbacks.progress",
    "hybrid_ir.callbacks.same_batch": "hybrid_ir.training.data.loader",
    "hybrid_ir.data.readers.cldr": "hybrid_ir.data.readers.cldr_facts",
    "hybrid_ir.model.distillation": "hybrid_ir.losses.distillation",
    "hybrid_ir.model.lakda": "hybrid_ir.losses.ranking_alignment",
    "hybrid_ir.model.language_contrastive": "hybrid_ir.losses.language_contrastive",
    "hybrid_ir.model.loss": "hybrid_ir.losses.infonce",
    "hybrid_ir.model.pooled": "hybrid_ir.losses.pooled",
    "hybrid_ir.model.semantic_contrastive": "hybrid_ir.losses.semantic_contrastive",
    "hybrid_ir.retrieval.baselines.bm25": "hybrid_ir.evaluation.baselines.bm25",
    "hybrid_ir.retrieval.baselines.random": "hybrid_ir.evaluation.baselines.random_scores",
    "hybrid_ir.retrieval.baselines.sentence_transformers": "hybrid_ir.evaluation.baselines.sentence_transformers",
    "hybrid_ir.retrieval.cldr": "hybrid_ir.evaluation.benchmarks.cldr_questions",
    "hybrid_ir.retrieval.folder": "hybrid_ir.evaluation.benchmarks.folder",
    "hybrid_ir.retrieval.lareqa": "hybrid_ir.evaluation.benchmarks.lareqa",
    "hybrid_ir.retrieval.miracl": "hybrid_ir.evaluation.benchmarks.miracl",
}


def current_target(target: str) -> str:
    """The current name of a `_target_`; unchanged if it was never renamed."""
    module, _, name = target.rpartition(".")
    return f"{MOVED[module]}.{name}" if module in MOVED else target


def current_override(word: str) -> str:
    """The current form of an override; unchanged if nothing in it was renamed."""
    key, assigned, value = word.partition("=")
    group, choice = CHOICES.get((key, value), (KEYS.get(key, key), value))
    return f"{group}{assigned}{choice}"


Group = type | None  # the dataclass of a group


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with current names, and with defaults for the fields that it lacks, at any depth.

    Defaults come from the classes in `hybrid_ir.config.programs` and, for a `_target_` of this package, from its
    signature. Targets that no longer exist or belong to other packages get no defaults.

    Args:
        config: a resolved configuration, as stored in results: of `train.py` if it has a sampler, else of
            `evaluate.py`.
    """
    renamed = {KEYS.get(key, key): value for key, value in config.items()}
    filled = _filled(renamed, TrainConfig if config.get("sampler") else EvaluateConfig)
    assert isinstance(filled, dict)
    return filled


def _filled(value: Any, group: Group) -> Any:
    if isinstance(value, list):
        return [_filled(entry, None) for entry in value]
    if not isinstance(value, Mapping):
        return value
    target, nested = value.get("_target_"), dict[str, Group]()
    if isinstance(target, str) and target.startswith(OURS):
        target = current_target(target)
        value = {**_of_target(target), **value, "_target_": target}
    elif group is not None:
        parameters = signature(group).parameters
        nested = {name: _dataclass(parameter.annotation) for name, parameter in parameters.items()}
        value = {**_defaults(parameters, built=False), **value}
    return {key: _filled(entry, nested.get(key)) for key, entry in value.items()}


def _of_target(target: str) -> dict[str, Any]:
    if target not in KNOWN_TARGETS:  # results are untrusted: other names are not imported
        return {}
    try:
        return _defaults(signature_of(target).parameters, built=True)
    except ValueError:  # the code no longer exists
        return {}


def _defaults(parameters: Mapping[str, inspect.Parameter], built: bool) -> dict[str, Any]:
    """Defaults as a configuration writes them; objects that are `built` by a `_target_` name it."""
    defaults = {}
    for name, parameter in parameters.items():
        default = parameter.default
        if is_dataclass(default) and not isinstance(default, type):
            kind = type(default)
            default = ({"_target_": f"{kind.__module__}.{kind.__name__}"} if built else {}) | asdict(default)
        if default is not REQUIRED and isinstance(default, str | int | float | list | tuple | dict | None):
            defaults[name] = _lists(default)
    return defaults


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _dataclass(hint: Any) -> Group:
    """The dataclass of a field such as `ScratchConfig | None`."""
    return next((kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and is_dataclass(kind)), None)
