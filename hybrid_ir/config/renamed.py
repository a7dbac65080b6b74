"""Table of names that changed since version 0.1: classes, functions, configuration keys and choices.

Old checkpoints, results and indexes are read with the current names. For an old key or choice on the command line, the
error names the new one.
"""

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
