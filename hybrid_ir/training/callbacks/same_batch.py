"""Training on the first epoch for ever, to see whether a model can learn at all."""

import lightning as L

from hybrid_ir.sampling.sampler import BatchPlanSampler


class SameBatch(L.Callback):
    """Keeps the batch plan in epoch 0; with `data.batches_per_epoch=1` every step trains on the same batch."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        sampler = trainer.train_dataloader.sampler  # type: ignore[union-attr]
        assert isinstance(sampler, BatchPlanSampler)
        sampler.fixed_epoch = True
