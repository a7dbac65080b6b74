"""Hydra callback that runs before a job or a sweep starts."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hybrid_ir.launch.before_writing import check_before_writing
from hybrid_ir.launch.cli import prepare_process
from hybrid_ir.launch.job_record import SWEEP


class SweepCallback(Callback):
    """Checks what Hydra is about to write, and records the folder of a sweep.

    It also registers the resolvers in job processes: launchers unpickle the callback there before they compose the
    job's configuration.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        check_before_writing(config, "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        _ = config.hydra.sweep.subdir  # together with `dir`, caches what all jobs share: see sweep_names.py
        check_before_writing(config, "hydra.sweep.dir")
        SWEEP.begin(Path(config.hydra.sweep.dir))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        prepare_process()
