"""Schemas of the choices in `loss`: one a loss."""

from dataclasses import dataclass


@dataclass
class LossConfig:
    """See `InfoNCE`."""

    _target_: str = "hybrid_ir.losses.infonce.InfoNCE"
    temperature: float = 0.05
    learn_temperature: bool = False
    min_temperature: float = 0.01
    max_temperature: float = 1.0
    symmetric: bool = False
    mask_false_negatives: bool = True


@dataclass
class DistillationConfig(LossConfig):
    """See `hybrid_ir.losses.distillation.Distillation`."""

    _target_: str = "hybrid_ir.losses.distillation.Distillation"
    weight: float = 0.5
    teacher_temperature: float = 0.05


@dataclass
class PooledConfig(LossConfig):
    """See `hybrid_ir.losses.pooled.Pooled`."""

    _target_: str = "hybrid_ir.losses.pooled.Pooled"
    languages: int = 2


@dataclass
class SemanticContrastiveConfig(LossConfig):
    """See `hybrid_ir.losses.semantic_contrastive.SemanticContrastive`."""

    _target_: str = "hybrid_ir.losses.semantic_contrastive.SemanticContrastive"
    weight: float = 0.5
    parallel_temperature: float = 0.05
    questions: int = 0
    passages: int = 1


@dataclass
class LanguageContrastiveConfig(SemanticContrastiveConfig):
    """See `hybrid_ir.losses.language_contrastive.LanguageContrastive`."""

    _target_: str = "hybrid_ir.losses.language_contrastive.LanguageContrastive"
    semantic_weight: float = 0.0


@dataclass
class RankingAlignmentConfig(LossConfig):
    """See `hybrid_ir.losses.ranking_alignment.RankingAlignment`."""

    _target_: str = "hybrid_ir.losses.ranking_alignment.RankingAlignment"
    weight: float = 0.5
    ranking_temperature: float = 0.05
    questions: int = 1
    reference: str | None = None
