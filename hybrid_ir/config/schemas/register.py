"""Makes the schemas known to Hydra."""

from hydra.core.config_store import ConfigStore

from hybrid_ir.config.schemas.losses import (
    DistillationConfig,
    LanguageContrastiveConfig,
    LossConfig,
    PooledConfig,
    RankingAlignmentConfig,
    SemanticContrastiveConfig,
)
from hybrid_ir.config.schemas.programs import (
    EvaluateSchema,
    TrainSchema,
)
from hybrid_ir.config.schemas.samplers import (
    ConstantScheduleConfig,
    HybridPolicyConfig,
    RampScheduleConfig,
    SinglePolicyConfig,
    StepsScheduleConfig,
)


def register() -> None:
    """Make the schemas known to Hydra, under the group `schema`, which no user chooses from."""
    store = ConfigStore.instance()
    store.store(group="schema", name="train", node=TrainSchema, package="_global_")
    store.store(group="schema", name="evaluate", node=EvaluateSchema, package="_global_")
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
