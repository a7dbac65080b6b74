"""What a command line gives, and what it leaves out."""

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf


def check_missing(cfg: DictConfig) -> None:
    """Refuse a configuration in which a value is still to be given.

    Raises:
        ValueError: names it.
    """
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ValueError(f"no value for {', '.join(missing)}; give one on the command line, such as {missing[0]}=...")


def given_fields(group: str) -> set[str] | None:
    """Fields of a group that the command line gives one by one; None where it chooses of the group (`model=labse`)."""
    if group in (keys := _overridden()):
        return None
    return {key.removeprefix(f"{group}.") for key in keys if key.startswith(f"{group}.")}


def _overridden() -> list[str]:
    """Groups and dotted keys that the command line names."""
    if not HydraConfig.initialized():
        return []
    return [override.lstrip("+~").split("=")[0] for override in HydraConfig.get().overrides.task]


def chosen() -> set[str]:
    """Groups and keys of the first level that the command line names."""
    return {key.split(".")[0] for key in _overridden()}
