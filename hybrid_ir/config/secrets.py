"""Keys and tokens stay in the environment: what is in a configuration ends in files, logs and dashboards."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

SECRETS = ("WANDB_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def check_no_secrets(cfg: DictConfig) -> None:
    """Refuse a configuration in which the value of one of `SECRETS` stands, by itself or as part of a text.

    Raises:
        ValueError: names the field and the variable, and not the value.
    """
    secrets = {name: value for name in SECRETS if (value := os.environ.get(name))}
    for key, text in _texts(OmegaConf.to_container(cfg, resolve=True)):
        for name, secret in secrets.items():
            if secret in text:
                raise ValueError(
                    f"{key} holds the value of {name}; it would be written to config.yaml, checkpoints and dashboards. "
                    f"Leave it out: what needs {name} reads it from the environment"
                )


def _texts(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield key, node
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from _texts(child, f"{key}.{name}" if key else str(name))
    elif isinstance(node, Sequence):
        for place, child in enumerate(node):
            yield from _texts(child, f"{key}[{place}]")
