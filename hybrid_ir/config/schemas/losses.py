"""Schemas of the choices in `loss`: one a loss."""

from dataclasses import dataclass


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
