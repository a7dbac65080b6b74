"""Rules for resuming: which values may differ from the checkpoint's, freely or on request."""

from collections.abc import Iterable, Mapping
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.stored_configs import with_defaults
from hybrid_ir.training.compatibility import WORLD_SIZE

FREE_TO_CHANGE = (  # values that do not affect what is learned from which batch
    *("name", "ckpt_path", "resume_changes", "optimized_metric", "paths", "eval", "trainer", "callbacks", "logger"),
    *("data.num_workers", "data.mapped", "data.corpora", "data.validation.corpora"),
    *("model.name", "model.name_or_path", "model.max_tokens"),
    *("model.gradient_checkpointing", "model.gradient_cache", "model.attention", "model.compile"),
    "teacher",  # a checkpoint identifies its teacher by its weights
)
BOUND = (  # keys of `trainer` that are not free to change
    *("trainer.precision", "trainer.accumulate_grad_batches", "trainer.gradient_clip_val"),
    "trainer.limit_train_batches",
)
CHANGEABLE = (  # on request: the weights, moments and counters of the checkpoint stay meaningful
    *("seed", "sampler", "data", "optim", "trainer", WORLD_SIZE, "loss.symmetric", "loss.mask_false_negatives"),
    *("model.dropout", "model.max_query_length", "model.max_passage_length"),
)


def check_resume(cfg: DictConfig, before: Mapping[str, Any]) -> None:
    """Check that a run's configuration fits that of the checkpoint it resumes from.

    All values that affect what is learned must be equal. If alpha has a schedule over the whole run, they include the
    planned length of training. A field that is newer than the checkpoint counts as having its default there.

    Args:
        cfg: this run's configuration; values below the keys in its `resume_changes` may differ.
        before: the configuration in the checkpoint.

    Raises:
        ValueError: values differ that must not, or `resume_changes` names a key that cannot change. Names the keys.
    """
    fixed = [key for key in cfg.resume_changes if not _below(key, CHANGEABLE)]
    if fixed:
        raise ValueError(
            f"resume_changes names {', '.join(fixed)}; only these can change when a checkpoint is resumed: "
            f"{', '.join(CHANGEABLE)}"
        )
    bound = (*BOUND, *_bound_by_schedule(cfg))
    configs = OmegaConf.to_container(cfg, resolve=True), before
    now, then = (_flat(with_defaults(config)) for config in configs)  # type: ignore[arg-type]
    changed = [
        f"{key}={now.get(key)} " + (f"(was {then[key]})" if key in then else "(not in the checkpoint)")
        for key in sorted(now.keys() | then.keys())
        if now.get(key) != then.get(key)
        and (key in bound or not _below(key, FREE_TO_CHANGE))
        and not _below(key, cfg.resume_changes)
    ]
    if changed:
        raise ValueError(
            f"the checkpoint was trained with other values than this run's: {', '.join(changed)}; "
            "resume with the values of config.yaml in the run's folder, or start a new run, or name in resume_changes "
            "what is to change from here on (docs/interruption.md)"
        )


def _bound_by_schedule(cfg: DictConfig) -> list[str]:
    """Further keys that must not change, because they decide the position of a batch in alpha's schedule."""
    schedule = instantiate(cfg.sampler).schedule
    return ["trainer.max_epochs", "trainer.max_steps"] if schedule is not None and schedule.batches is None else []


def _below(key: str, parents: Iterable[str]) -> bool:
    return any(f"{key}.".startswith(f"{parent}.") for parent in parents)


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys."""
    if not isinstance(node, Mapping):
        return {prefix[:-1]: node}
    return {key: value for name, child in node.items() for key, value in _flat(child, f"{prefix}{name}.").items()}
