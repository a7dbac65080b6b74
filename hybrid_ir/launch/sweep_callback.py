"""Hydra's events around a sweep."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hybrid_ir.launch.before_writing import check_before_writing
from hybrid_ir.launch.cli import prepare_process
from hybrid_ir.launch.job_record import SWEEP


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
