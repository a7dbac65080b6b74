"""Hydra's events: what is checked before Hydra writes, and what a sweep notes when it begins.

Hydra makes the run's folder and `.hydra/` before a program's own code begins.
"""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.config.secrets import check_no_secrets, check_text, redacted
from hybrid_ir.launch.cli import prepare_process
from hybrid_ir.launch.job_record import SWEEP
from hybrid_ir.sources.own_folder import refuse_links


class SweepCallback(Callback):
    """Checks what Hydra is about to write, and notes the folder of a sweep.

    It makes the resolvers known to the processes that a launcher starts.

    Launchers send their callbacks to the process of a job before they compose its configuration there.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        check_before_writing(config, "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        _ = config.hydra.sweep.subdir  # with `dir`, fixes what all jobs share: see names.py
        check_before_writing(config, "hydra.sweep.dir")
        SWEEP.begin(Path(config.hydra.sweep.dir))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        prepare_process()


def check_before_writing(cfg: DictConfig, folder: str) -> None:
    """Refuse a configuration that Hydra would write down with a secret in it, and a folder with links in it.

    Args:
        cfg: whole, with Hydra's own part.
        folder: the key of the folder that is to be written to, `hydra.run.dir` or `hydra.sweep.dir`.

    Raises:
        SystemExit: with the message; Hydra turns any other error of its callbacks into a warning.
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
    """The value of a key; empty where it has none, or none that can be resolved: Hydra reports that itself."""
    try:
        return str(OmegaConf.select(cfg, key) or "")
    except OmegaConfBaseException:
        return ""
