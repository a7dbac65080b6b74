"""Rules of checking a corpus."""

from omegaconf import DictConfig

from hybrid_ir.config.rules.given import check_missing


def check_check(cfg: DictConfig) -> None:
    """Refuse to check nothing.

    Raises:
        ValueError: no file is named.
    """
    check_missing(cfg)
