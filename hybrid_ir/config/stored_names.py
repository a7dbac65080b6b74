"""Names in stored configurations: targets that may be imported, and names that changed since version 0.1.

Old checkpoints, results and indexes are read with the current names of classes, functions, keys and choices. For an old
key or choice on the command line, the error names the new one.
"""

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
