"""Results on dashboards: scalars for every logger, tables where the logger has them."""

from collections.abc import Mapping, Sequence

import lightning as L
from lightning.pytorch.loggers import WandbLogger


def log_scalars(trainer: L.Trainer, metrics: Mapping[str, float], step: int) -> None:
    """Write scalars to every logger at `step`."""
    for logger in trainer.loggers:
        logger.log_metrics(dict(metrics), step=step)


def log_table(trainer: L.Trainer, key: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to the loggers that can show one."""
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_table(key, columns=list(columns), data=[list(row) for row in rows])


def close_loggers(trainer: L.Trainer) -> None:
    """Finish the W&B run, as failed where training did not end well: the next job would go on writing into it."""
    if any(isinstance(logger, WandbLogger) for logger in trainer.loggers):
        import wandb

        wandb.finish(exit_code=0 if trainer.state.finished else 1)
