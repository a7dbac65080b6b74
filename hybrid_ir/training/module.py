"""The LightningModule that trains a dual encoder."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.encoder.teacher import Teacher
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import Tokens
from hybrid_ir.losses.contrastive import LossOutput
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sources.records import TextKind
from hybrid_ir.training.batch_metrics import EpochMetrics, summarise
from hybrid_ir.training.compatibility import refuse_other_encoder
from hybrid_ir.training.gradient_cache import CachedEncoding, DelayedAverage
from hybrid_ir.training.optimizer import OptimizerConfig, build_optimizer, follow_schedule, settings_of
from hybrid_ir.training.restored_paths import keep_own_paths
from hybrid_ir.training.tokenised_batch import TokenisedBatch

REMEDY = (
    "The last checkpoint is intact; try a lower optim.learning_rate, trainer.gradient_clip_val=1 or "
    "trainer.precision=32-true"
)


class NonFiniteLossError(RuntimeError):
    """The loss or the gradient is infinite or not a number; the message names the batch."""


class DualEncoder(L.LightningModule):
    """Trains a `TextEncoder` to embed a question close to its passage and far from the other passages of its batch.

    Args:
        encoder: the encoder to train.
        loss: the objective.
        optimizer: learning rate, decay and schedule.
        kinds: batch kinds that the plan draws.
        languages: languages of the training corpora.
        seed: seed of dropout.
        gradient_cache: keep the activations of one chunk of texts at a time, at the cost of a second pass over them,
            so that batches of any size fit in memory. Loss and gradients equal those of the plain path.
        config: the run's resolved configuration as plain containers, stored in checkpoints.
        teacher: the frozen encoder of a distillation loss; checkpoints hold its description, not its weights.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        loss: InfoNCE,
        optimizer: OptimizerConfig,
        kinds: Sequence[str],
        languages: Sequence[str],
        seed: int = 0,
        gradient_cache: bool = False,
        config: dict[str, Any] | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(config or {})
        self.encoder, self.loss, self.optimizer_config = encoder, loss, optimizer
        self.epoch_metrics = EpochMetrics(kinds, languages)
        self.seed, self.gradient_cache = seed, gradient_cache
        self._cached: CachedEncoding | None = None
        self.teacher = teacher

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts for retrieval: float32 (N, D) on the CPU, unit rows."""
        return self.encoder.encode(texts, kind)

    def describe(self) -> dict[str, Any]:
        """See `TextEncoder.describe`."""
        return self.encoder.describe()

    @cached_property
    def _teacher_description(self) -> dict[str, Any] | None:
        return None if self.teacher is None else self.teacher.describe()

    @cached_property
    def blueprint(self) -> dict[str, Any]:
        """See `TextEncoder.blueprint`; made once, so that saving a checkpoint needs no space for temporary files."""
        return self.encoder.blueprint()

    def forward(self, batch: TokenisedBatch) -> LossOutput:
        """Loss and in-batch ranks of this rank's rows against the passages of all ranks."""
        vectors = batch.arrange(self._embed(batch.tokens))
        if self.teacher is not None:
            assert batch.teacher_tokens is not None
            vectors = replace(vectors, teacher=batch.arrange(self.teacher(batch.teacher_tokens)))
        output: LossOutput = self.loss(vectors)
        return output

    def _embed(self, tokens: Tokens) -> Tensor:
        if not (self.gradient_cache and torch.is_grad_enabled()):
            vectors: Tensor = self.encoder(tokens)
            return vectors
        self._cached = CachedEncoding(self.encoder, tokens)
        return self._cached.vectors

    def training_step(self, batch: TokenisedBatch, batch_idx: int) -> Tensor:
        if self.gradient_cache:
            self._average = DelayedAverage(self.trainer.strategy.model, self.loss.parameters())
        output: LossOutput = self(batch)
        summary = summarise(output)
        self._refuse_non_finite(output.loss, summary["loss"], batch, batch_idx)
        self.epoch_metrics.update(batch.kind, batch.question_languages, batch.passage_languages, summary)
        step = summary | {
            f"loss/{batch.kind}": summary["loss"],
            "temperature": self.loss.log_scale.detach().neg().exp(),
            "learning_rate": self.trainer.optimizers[0].param_groups[0]["lr"],
        }
        self.log_dict({f"train/{name}": value for name, value in step.items()}, batch_size=len(batch))
        loss: Tensor = output.loss
        return loss

    def on_train_start(self) -> None:
        """Correct the number of the epoch, and take the optimiser's settings from the configuration.

        After a checkpoint at the end of an epoch, the number that Lightning passes to `set_epoch` is one too high; if
        training ended at `max_steps`, Lightning does not correct it, and a resumed run would skip an epoch of the plan.
        """
        assert self.blueprint  # made before the first checkpoint needs it
        progress = self.trainer.fit_loop.epoch_progress.current
        progress.processed = progress.completed  # type: ignore[attr-defined]
        scheduler = self.lr_schedulers()
        assert isinstance(scheduler, LambdaLR)
        follow_schedule(self.trainer.optimizers[0], scheduler, self._settings)

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        loss.backward(*args, **kwargs)
        if self._cached is not None:
            self._cached.backward(self.trainer.precision_plugin.train_step_context, self._average)
            self._cached = None

    def on_train_batch_start(self, batch: TokenisedBatch, batch_idx: int) -> None:
        """Make dropout a function of seed, epoch, batch and rank, so that a resumed run draws the same numbers."""
        key = np.random.SeedSequence([self.seed, self.current_epoch, batch_idx, rank_and_world()[0]])
        torch.manual_seed(int(key.generate_state(1, dtype=np.uint64)[0] >> np.uint64(1)))

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by global norm. Lightning's own clipping rejects fused optimisers even if no gradient is scaled."""
        norm = torch.nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val or float("inf"))
        # Gradients have been averaged, so every rank has the same norm. fp16's scaler skips such steps itself.
        if not torch.isfinite(norm) and self.trainer.precision != "16-mixed":
            raise NonFiniteLossError(
                f"the gradient at epoch {self.current_epoch}, optimiser step {self.global_step} has norm "
                f"{norm.item()}; the weights were not updated. {REMEDY}"
            )
        self.log("train/gradient_norm", norm)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Bring the temperature back within its bounds before callbacks can save a checkpoint."""
        super().optimizer_step(*args, **kwargs)
        self.loss.clamp_temperature()

    def on_train_epoch_end(self) -> None:
        values = self.epoch_metrics.compute()
        self.log_dict({f"train_epoch/{name}": value.float() for name, value in values.items()})
        self.epoch_metrics.reset()

    def validation_step(self, batch: TokenisedBatch, batch_idx: int) -> None:
        summary = summarise(self(batch))
        self.log_dict({f"validation/{name}": value for name, value in summary.items()}, batch_size=len(batch))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        total_steps = int(self.trainer.estimated_stepping_batches)
        config = self.optimizer_config
        if self.trainer.precision == "16-mixed":  # a fused step would unscale gradients itself, after clipping
            config = replace(config, fused=False)
        optimizer, scheduler = build_optimizer(config, self.parameters(), total_steps)
        self._settings = settings_of(optimizer)  # before a checkpoint overwrites them
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step", "name": "lr"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        broken = [name for name, value in self.named_parameters() if not torch.isfinite(value).all()]
        if broken:
            raise NonFiniteLossError(f"{len(broken)} weights are not finite, such as {broken[0]}: not saved. {REMEDY}")
        checkpoint["encoder_blueprint"] = self.blueprint
        checkpoint["teacher"] = self._teacher_description
        checkpoint["counted"] = self.epoch_metrics.counted

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint of another encoder or teacher, and drop paths in it that are outside this run's folder.

        Sums over other batch kinds or languages than this run's are dropped, too: averages of the current epoch then
        cover its remaining batches only.

        Raises:
            ValueError: see `refuse_other_encoder`.
        """
        refuse_other_encoder(checkpoint, self.blueprint, self._teacher_description)
        if self._trainer is not None:
            keep_own_paths(checkpoint, self._trainer.callbacks)  # type: ignore[attr-defined]
        position = checkpoint.get("HybridDataModule", {})
        ended = position.get("trained") == position.get("batches")  # saved in the last step: its sums are of that epoch
        if ended or checkpoint.get("counted") != self.epoch_metrics.counted:  # torchmetrics would not notice
            checkpoint["state_dict"].update(self.epoch_metrics.state_dict(prefix="epoch_metrics."))

    def _refuse_non_finite(self, loss: Tensor, mean: Tensor, batch: TokenisedBatch, batch_idx: int) -> None:
        """Stop all ranks at once if the mean of their losses is not finite, so that none waits for the others."""
        if not torch.isfinite(mean):
            if torch.isfinite(loss):
                raise NonFiniteLossError("the loss of another process is not finite; its message names the batch")
            languages = sorted({*batch.question_languages, *batch.passage_languages})
            raise NonFiniteLossError(
                f"the loss is {loss.item()} at epoch {self.current_epoch}, batch {batch_idx} (optimiser step "
                f"{self.global_step}): a {batch.kind} batch of {batch.corpus} in {', '.join(languages)}, examples "
                f"{', '.join(batch.example_ids[:5])}, .... {REMEDY}"
            )
