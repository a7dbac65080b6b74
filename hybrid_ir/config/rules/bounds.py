"""Bounds of values that belong to no configuration class."""

from omegaconf import DictConfig, OmegaConf


def check_at_least_one(cfg: DictConfig, *keys: str) -> None:
    """Refuse a number below 1.

    Args:
        keys: dotted, each of a whole number.

    Raises:
        ValueError: names the first key that has one.
    """
    for key in keys:
        if (value := OmegaConf.select(cfg, key)) < 1:
            raise ValueError(f"{key} is {value}; it must be at least 1")
