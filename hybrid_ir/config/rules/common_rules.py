"""Rules that all programs share: missing values, allowed words, lower bounds, and what the command line sets."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from hydra.core.hydra_config import HydraConfig
from lightning.pytorch.accelerators import AcceleratorRegistry
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.language_codes import normalise_languages
from hybrid_ir.config.secrets import check_no_secrets
from hybrid_ir.config.validate import validate
from hybrid_ir.encoder.forward.pooling import POOLINGS
from hybrid_ir.sampling.policy import DRAWS, KINDS
from hybrid_ir.sources.errors import nearest
from hybrid_ir.training.optimizer import DECAYS, SCHEDULES

CHOICES: dict[str, Callable[[], Collection[str]]] = {
    "sampler.kind": lambda: KINDS,
    "sampler.draw": lambda: DRAWS,
    "model.pooling": lambda: POOLINGS,
    "optim.decay": lambda: DECAYS,
    "optim.schedule": lambda: SCHEDULES,
    "trainer.accelerator": lambda: ["auto", "gpu", *AcceleratorRegistry.available_accelerators()],
}


def check_values(
    cfg: DictConfig, program: type, choices: Mapping[str, Collection[str]] = MappingProxyType({}), *at_least_one: str
) -> None:
    """Check each value on its own: it is given, is not a secret, has the right type, and is an allowed word.

    Language codes are written in one spelling first.

    Args:
        cfg: the configuration.
        program: the dataclass that declares it, see `hybrid_ir.config.validate`.
        choices: dotted key -> allowed words, for options that only this program has.
        at_least_one: dotted keys of whole numbers that must be at least 1.

    Raises:
        ValueError: a value is invalid. Names the first such key, and what to do.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    normalise_languages(cfg)
    validate(cfg, program)
    for key, words in [*((key, words()) for key, words in CHOICES.items()), *choices.items()]:
        _check_word(key, OmegaConf.select(cfg, key), list(words))
    for key in ("model.query_prefix", "model.passage_prefix"):
        if "\\n" in str(OmegaConf.select(cfg, key) or ""):
            raise ValueError(
                f"{key} has a backslash and an n where a line break is meant; in bash, $'...' makes one: "
                f"$'{key}=\"first\\nsecond\"'"
            )
    for key in at_least_one:
        if (value := OmegaConf.select(cfg, key)) < 1:
            raise ValueError(f"{key} is {value}; it must be at least 1")


def check_missing(cfg: DictConfig) -> None:
    """Check that no required value (`???`) is missing.

    Raises:
        ValueError: values are missing. Names their keys.
    """
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ValueError(f"no value for {', '.join(missing)}; give one on the command line, such as {missing[0]}=...")


def given_fields(group: str) -> set[str] | None:
    """Fields of a group that the command line sets individually; None if it selects a choice (`model=labse`)."""
    if group in (keys := _overridden()):
        return None
    return {key.removeprefix(f"{group}.") for key in keys if key.startswith(f"{group}.")}


def chosen() -> set[str]:
    """Top-level groups and keys that the command line names."""
    return {key.split(".")[0] for key in _overridden()}


def _overridden() -> list[str]:
    """Groups and dotted keys that the command line names."""
    if not HydraConfig.initialized():
        return []
    return [override.lstrip("+~").split("=")[0] for override in HydraConfig.get().overrides.task]


def _check_word(key: str, value: str | None, known: list[str]) -> None:
    if value is not None and value not in known:
        near = nearest(str(value), known)
        hint = f"did you mean {near!r}? There are" if near else "there are"
        raise ValueError(f"{key} is {value!r}; {hint} {', '.join(known)}")
