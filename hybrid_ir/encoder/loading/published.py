"""Loads encoders from checkpoints, run folders, published model folders and the hub."""

import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from hybrid_ir.encoder.build import build_encoder, find_checkpoint, load_checkpoint_encoder, read_checkpoint
from hybrid_ir.encoder.loading.sentence_layout import MODULES, Usage, read_usage
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.encoder.text_encoder import TextEncoder

log = logging.getLogger(__name__)

USAGE = tuple(field.name for field in fields(Usage))


def load_encoder(path: str | Path) -> TextEncoder:
    """The encoder in a checkpoint file, a run's folder, or a sentence-transformers folder.

    `python -m hybrid_ir export` writes folders of the last kind.

    Raises:
        ValueError: the path is none of these, or is damaged.
    """
    path = Path(path)
    if (path / MODULES).is_file():
        return build_encoder(as_published(ModelConfig(name_or_path=str(path))), tuple, path)
    if (path / "config.json").is_file() or not path.exists():
        raise ValueError(
            f"no checkpoint at {path}; it can be a .ckpt file, the folder of a run, or a folder of "
            f"sentence-transformers with its {MODULES}. evaluate.py takes a plain backbone, or a model of the hub, by "
            f"model.name_or_path={path}"
        )
    return load_checkpoint_encoder(find_checkpoint(path))


@dataclass(frozen=True)
class Training:
    """How the weights of a checkpoint were trained.

    Attributes:
        config: of the run that wrote it, resolved.
        step: optimiser steps taken.
        epoch: epochs begun.
    """

    config: dict[str, Any]
    step: int
    epoch: int


def read_training(path: Path) -> Training | None:
    """How the encoder at a path of `load_encoder` was trained; None for a published model, which does not record it.

    Raises:
        ValueError: the checkpoint is damaged.
    """
    if (path / MODULES).is_file():
        return None
    content = read_checkpoint(find_checkpoint(path))
    return Training(content.get("hyper_parameters", {}), content["global_step"], content["epoch"] + 1)


def as_published(config: ModelConfig, given: Collection[str] = ()) -> ModelConfig:
    """`config` with the pooling, prefixes and length limits that the published model itself states.

    Args:
        config: the model; its `name_or_path` is a folder or a hub model.
        given: fields of `config` that keep their values whatever the model states.

    Returns:
        The configuration; a field that is neither given nor stated has its default in `ModelConfig`.

    Raises:
        ValueError: the pooling is neither given nor stated, or `read_usage` fails.
    """
    assert config.name_or_path is not None
    name = str(Path(config.name_or_path).expanduser())
    if config.name_or_path.startswith((".", "/", "~")) and not Path(name).is_dir():
        raise ValueError(f"model.name_or_path={name} is not a folder")
    usage = read_usage(name, config.revision)
    if usage is None and "pooling" not in given:
        raise ValueError(
            f"{name} does not say how its token states become one vector (it has no {MODULES}); say so with "
            "model.pooling=mean, cls or pooler, and what it was trained with by model.query_prefix, "
            "model.passage_prefix, model.max_query_length and model.max_passage_length"
        )
    said = {} if usage is None else {key: value for key, value in asdict(usage).items() if value is not None}
    own = {key: getattr(config, key) for key in USAGE if key in given}
    defaults = {key: getattr(ModelConfig(), key) for key in USAGE}
    used = defaults | said | own
    if set_aside := {key: value for key, value in said.items() if used[key] != value}:
        log.warning("%s says %s; the command line's %s is used", name, _listed(set_aside), _listed(own))
    return replace(config, name=Path(name).name, **used)


def _listed(values: dict[str, object]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in values.items())
