"""Hydra's events around a sweep."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hybrid_ir.launch.cli import prepare_process
from hybrid_ir.launch.job_record import SWEEP


class SweepCallback(Callback):
    """Notes the folder of the sweep, and makes the processes that its launcher starts know the resolvers.

    Launchers send their callbacks to the process of a job before they compose its configuration there.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        _ = config.hydra.sweep.subdir  # with `dir`, fixes what all jobs share: see names.py
        SWEEP.begin(Path(config.hydra.sweep.dir))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        prepare_process()
