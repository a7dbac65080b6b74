"""Where an epoch ends, as callbacks see it after a batch."""

import lightning as L


def ends_epoch(trainer: L.Trainer) -> bool:
    """Whether the batch that was trained on just now is the last of its epoch, or of the whole run."""
    last: bool = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
    return last or trainer.global_step == trainer.max_steps
