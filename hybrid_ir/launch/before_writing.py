"""Checks before Hydra writes anything: it creates the run's folder and `.hydra/` before the program's code runs."""

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.config.secrets import check_no_secrets, check_text, redacted
from hybrid_ir.sources.own_folder import refuse_links


def check_before_writing(cfg: DictConfig, folder: str) -> None:
    """Refuse a configuration that contains a secret, and an output folder that contains links.

    Args:
        cfg: the full configuration, including the `hydra` node.
        folder: key of the output folder, `hydra.run.dir` or `hydra.sweep.dir`.

    Raises:
        SystemExit: with the message, since Hydra turns other errors in callbacks into warnings.
    """
    try:
        check_no_secrets(cfg, resolve=False)
        for key in (folder, "paths.outputs", "paths.data", "paths.cache"):
            check_text(key, _resolved(cfg, key))
        if path := _resolved(cfg, folder):
            refuse_links(path)
    except ValueError as error:
        raise SystemExit(f"error: {redacted(str(error))}") from None


def _resolved(cfg: DictConfig, key: str) -> str:
    """The value of a key; empty if it is missing or cannot be resolved, which Hydra reports itself."""
    try:
        return str(OmegaConf.select(cfg, key) or "")
    except OmegaConfBaseException:
        return ""
