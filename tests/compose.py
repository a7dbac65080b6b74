"""Composes configurations as the command line does, without running anything."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from hybrid_ir.launch.cli import register_resolvers

CONF = Path(__file__).resolve().parents[1] / "conf"


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
