"""Composes configurations as the command line does, without running anything."""

import copy
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.hydra_config import HydraConfig
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, open_dict

from hybrid_ir.launch.cli import register_resolvers

CONF = Path(__file__).resolve().parents[1] / "conf"
_parse, _parsed = FileConfigSource.load_config, dict[tuple[str, str], ConfigResult]()


def _load_config(source: FileConfigSource, path: str) -> ConfigResult:
    """A YAML file is parsed once a process: a suite composes hundreds of times."""
    key = (source.path, path)
    if key not in _parsed:
        _parsed[key] = _parse(source, path)
    return copy.deepcopy(_parsed[key])


FileConfigSource.load_config = _load_config  # type: ignore[method-assign]


def compose_config(name: str, overrides: list[str], run: Path) -> DictConfig:
    """The configuration of `name` (`train`, `evaluate`, ...) with all paths inside `run`."""
    register_resolvers()
    paths = [f"paths.run={run}", f"paths.outputs={run}", f"paths.cache={run / 'cache'}"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(name, [*overrides, *paths], return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg
