"""Hydra callback that runs before a job or a sweep starts, with the checks before Hydra writes anything.

Hydra creates the run's folder and `.hydra/` before the program's code runs.
"""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.config.secrets import check_no_secrets, check_text, redacted
from hybrid_ir.launch.cli import prepare_process, report_error
from hybrid_ir.launch.job_record import SWEEP
from hybrid_ir.launch.run_folder import claim_run
from hybrid_ir.sources.own_folder import refuse_links


class SweepCallback(Callback):
    """Checks what Hydra is about to write, and records the folder of a sweep.

    It also registers the resolvers in job processes: launchers unpickle the callback there before they compose the
    job's configuration.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        HydraConfig.instance().set_config(config)  # the folder's name may refer to it, and Hydra sets it later
        check_before_writing(config, "hydra.run.dir")
        try:
            claim_run(config)
        except ValueError as error:
            raise SystemExit(f"error: {error}") from None

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """End with the message of a user error, to which Hydra would add a line of its own."""
        failed = config.hydra.mode == RunMode.RUN and job_return.status == JobStatus.FAILED
        if failed and report_error(job_return._return_value):
            raise SystemExit(1)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        _ = config.hydra.sweep.subdir  # together with `dir`, caches what all jobs share: see sweep_names.py
        check_before_writing(config, "hydra.sweep.dir")
        SWEEP.begin(Path(config.hydra.sweep.dir))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        prepare_process()


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
        for key in ("paths.outputs", "paths.data", "paths.cache", folder):
            check_text(key, _resolved(cfg, key))
        path = _resolved(cfg, folder)
        # `search` and `check` run in the working folder, where Hydra writes nothing and links are the user's own.
        if path and not (path == "." and OmegaConf.select(cfg, "hydra.output_subdir") is None):
            refuse_links(path)
    except ValueError as error:
        raise SystemExit(f"error: {redacted(str(error))}") from None


def _resolved(cfg: DictConfig, key: str) -> str:
    """The value of a key; empty if it is missing or cannot be resolved, which Hydra reports itself."""
    try:
        return str(OmegaConf.select(cfg, key) or "")
    except OmegaConfBaseException:
        return ""
