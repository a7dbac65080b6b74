"""What sweeps and their jobs are called: by the overrides that were typed, so that the same command finds its folder.

Hydra composes a job's configuration from the job's own overrides, which no longer say what else was swept. So the
resolvers `swept` and `sweep_name` are evaluated once, where the sweep starts, and Hydra hands their cached values to
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

UNNAMED = ("name", "paths", "logger", "ckpt_path")  # what does not tell one job of a sweep from another
SHORT = {"sampler.alpha": "alpha"}  # every other key is written out: several end alike, such as `loss.temperature`
BARE = ("experiment", "model", "sampler")  # groups whose choices speak for themselves; all of them differ
LONGEST = 120  # characters; file systems take 255


def register_resolvers() -> None:
    """Interpolations that conf/hydra/default.yaml and conf/logger/wandb.yaml use."""
    OmegaConf.register_new_resolver("swept", swept_keys, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("sweep_name", sweep_name, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("job_name", job_name, replace=True)
    OmegaConf.register_new_resolver("dashboard_name", dashboard_name, replace=True)
    OmegaConf.register_new_resolver("dashboard_group", dashboard_group, replace=True)


def swept_keys(overrides: Sequence[str], params: Mapping[str, str] | None) -> list[str]:
    """Keys that get several values: those of the sweeper's own `params`, then those of the command line."""
    parsed = OverridesParser.create().parse_overrides(_typed(overrides))
    typed = [override.get_key_element().lstrip("+") for override in parsed if override.is_sweep_override()]
    return list(dict.fromkeys([*(params or {}), *typed]))


def sweep_name(overrides: Sequence[str], params: Mapping[str, str] | None) -> str:
    """The sweep's name: its `name`, or its fixed overrides followed by the keys that vary.

    Values of swept keys are not part of it, so a sweep that gets more values stays in its folder.
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
    """Folder of a job inside its sweep's (`alpha-0.25_seed-1`): what tells it from the other jobs.

    It contains no `=`: the path of a checkpoint must be a valid override.
    """
    pairs = dict(map(_split, _typed(overrides)))
    return _file_name([f"{SHORT.get(key, key)}-{pairs[key]}" for key in swept if key in pairs]) or "job"


def dashboard_name(name: str, seed: int) -> str:
    """A run's name on W&B: in a sweep its job's, by which its folder is found too."""
    return Path(str(HydraConfig.get().sweep.subdir)).name if is_sweep() else f"{name}-seed{seed}"


def dashboard_group() -> str | None:
    """What W&B groups a run under: its sweep, or nothing."""
    return Path(str(HydraConfig.get().sweep.dir)).name if is_sweep() else None


def _typed(overrides: Sequence[str]) -> list[str]:
    """Overrides as they were typed: an interpolation in one belongs to the job and has no value yet."""
    if isinstance(overrides, ListConfig):
        overrides = cast(list[str], OmegaConf.to_container(overrides, resolve=False))
    return list(overrides)


def _split(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+~").partition("=")
    return key, value.strip("'\"")


def _unnamed(key: str) -> bool:
    return key.split(".")[0] in UNNAMED


def _file_name(parts: Sequence[str]) -> str:
    """Parts joined to a name that every file system and Hydra's grammar take; different parts, different names."""
    text = "_".join(parts)
    name = re.sub(r"[^\w.+-]+", "-", text, flags=re.ASCII)[:LONGEST]
    return name if name == text else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
