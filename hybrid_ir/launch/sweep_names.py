"""Names of sweeps and their jobs, made from the typed overrides, so that the same command finds the same folder.

Hydra composes a job's configuration from the overrides of that job, which do not tell which keys were swept. So the
resolvers `swept` and `sweep_name` are evaluated once, when the sweep starts, and Hydra passes their cached values to
the jobs, as it does with `${now:}`.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import ListConfig, OmegaConf

from hybrid_ir.config.names import check_run_name
from hybrid_ir.config.processes import is_sweep

UNNAMED = ("name", "paths", "logger", "ckpt_path")  # keys that do not appear in names
SHORT = {"sampler.alpha": "alpha"}  # other keys are written in full, since some have the same last part
BARE = ("experiment", "model", "sampler")  # groups whose choices are all different and clear without the group's name
LONGEST = 120  # characters; file systems allow 255


def register_resolvers() -> None:
    """Register the resolvers that conf/hydra/default.yaml and conf/logger/wandb.yaml use."""
    OmegaConf.register_new_resolver("swept", swept_keys, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("sweep_name", sweep_name, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("job_name", job_name, replace=True)
    OmegaConf.register_new_resolver("dashboard_name", dashboard_name, replace=True)
    OmegaConf.register_new_resolver("dashboard_group", dashboard_group, replace=True)


def swept_keys(overrides: Sequence[str], params: Mapping[str, str] | None) -> list[str]:
    """Keys with several values: those in the sweeper's `params`, then those of the command line."""
    parsed = OverridesParser.create().parse_overrides(_typed(overrides))
    typed = [override.get_key_element().lstrip("+") for override in parsed if override.is_sweep_override()]
    return list(dict.fromkeys([*(params or {}), *typed]))


def sweep_name(overrides: Sequence[str], params: Mapping[str, str] | None) -> str:
    """The name of the sweep: `name` if given, else its fixed overrides followed by the swept keys.

    It does not contain the values of swept keys, so a sweep that is extended by more values keeps its folder.
    """
    pairs = dict(map(_split, _typed(overrides)))
    if "name" in pairs:
        check_run_name(pairs["name"])
        return _file_name([pairs["name"]])
    swept = swept_keys(overrides, params)
    fixed = [
        value if key in BARE else f"{SHORT.get(key, key)}-{value}"
        for key, value in pairs.items()
        if key not in swept and not _unnamed(key)
    ]
    varied = [SHORT.get(key, key) for key in swept if key not in (params or {})]
    return _file_name([*fixed, *varied]) or "sweep"


def job_name(overrides: Sequence[str], swept: Sequence[str]) -> str:
    """The name of a job's folder: the values of the swept keys (`alpha-0.25_seed-1`).

    It contains no `=`, so that the path of a checkpoint is a valid override.
    """
    pairs = dict(map(_split, _typed(overrides)))
    return _file_name([f"{SHORT.get(key, key)}-{pairs[key]}" for key in swept if key in pairs]) or "job"


def dashboard_name(name: str, seed: int) -> str:
    """The name of a run on W&B: in a sweep, the name of the job and its folder."""
    return Path(str(HydraConfig.get().sweep.subdir)).name if is_sweep() else f"{name}-seed{seed}"


def dashboard_group() -> str | None:
    """The W&B group of a run: the name of its sweep; None for a single run."""
    return Path(str(HydraConfig.get().sweep.dir)).name if is_sweep() else None


def _typed(overrides: Sequence[str]) -> list[str]:
    """The overrides as typed, since interpolations in them only get a value in the job."""
    if isinstance(overrides, ListConfig):
        overrides = cast(list[str], OmegaConf.to_container(overrides, resolve=False))
    return list(overrides)


def _split(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+~").partition("=")
    return key, value.strip("'\"")


def _unnamed(key: str) -> bool:
    return key.split(".")[0] in UNNAMED


def _file_name(parts: Sequence[str]) -> str:
    """Join parts to a name that every file system and Hydra's grammar accept. Different parts give different names."""
    text = "_".join(parts)
    name = re.sub(r"[^\w.+-]+", "-", text, flags=re.ASCII)[:LONGEST]
    return name if name == text else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
