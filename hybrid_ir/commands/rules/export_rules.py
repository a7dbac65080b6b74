"""Rules of an export's configuration, checked before anything is read."""

import re

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from omegaconf import DictConfig

from hybrid_ir.config.rules.given import check_missing
from hybrid_ir.config.secrets import check_no_secrets

LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


def check_export(cfg: DictConfig) -> None:
    """Refuse an export configuration that cannot work.

    Raises:
        ValueError: a value is missing, `push` is no repository's name or `license` no identifier.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    if cfg.push is not None:
        try:
            validate_repo_id(cfg.push)
        except HFValidationError as error:
            raise ValueError(f"push={cfg.push} is no name of a repository: {error}") from None
        if "/" not in cfg.push:
            raise ValueError(f"push={cfg.push} does not say whose repository it is; write push=ORG/{cfg.push}")
    if cfg.license is not None and not LICENSE.fullmatch(cfg.license):
        raise ValueError(
            f"license={cfg.license!r} is no identifier of the hub, such as mit, apache-2.0, cc-by-sa-4.0 or other "
            "(lower case, no spaces; https://huggingface.co/docs/hub/repositories-licenses)"
        )
