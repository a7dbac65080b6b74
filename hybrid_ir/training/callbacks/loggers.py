"""Scalars for every logger, and closing them."""

from collections.abc import Mapping

import lightning as L
from lightning.pytorch.loggers import WandbLogger


def log_scalars(trainer: L.Trainer, metrics: Mapping[str, float], step: int) -> None:
    """Write scalars to every logger at `step`."""
    for logger in trainer.loggers:
        logger.log_metrics(dict(metrics), step=step)


def close_loggers(trainer: L.Trainer) -> None:
    """Finish the W&B run, as failed where training did not end well: the next job would go on writing into it."""
    if any(isinstance(logger, WandbLogger) for logger in trainer.loggers):
        import wandb

        wandb.finish(exit_code=0 if trainer.state.finished else 1)
