"""The LightningDataModule: loaders of the batches that a policy draws from the corpora."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import lightning as L

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.fingerprint import corpora_fingerprint
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import BatchPolicy
from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.sampling.schedule import RunLength
from hybrid_ir.sampling.translations import NONE, Translations
from hybrid_ir.training.compatibility import VALIDATION, WORLD_SIZE, position_after
from hybrid_ir.training.data.batch_config import BatchConfig
from hybrid_ir.training.data.collator import PlannedBatches, Tokenize
from hybrid_ir.training.data.loader import PlannedLoader
from hybrid_ir.training.data.validation_set import ValidationSet, hold_out


class HybridDataModule(L.LightningDataModule):
    """Serves hybrid batches for training and, if there are examples for it, batches for the validation loss.

    Args:
        corpora: the training corpora.
        policy: which kinds of batches are drawn, and how often.
        tokenize: turns texts of one kind into tokens.
        config: see `BatchConfig`.
        seed: seed of the plan and of the held-out examples.
        teacher_tokenize: the same for the teacher's tokens; None without a teacher.
        length: the planned length of training, over which the policy's schedule runs.
        changes: keys of the configuration that may differ from the checkpoint's when resuming.
        translations: translations that the loss needs for each row, in addition to its pair.
        needs_negatives: whether the loss has nothing to compare a row with except hard negatives.
        validation: corpora of the validation loss, in place of held-out examples.

    Raises:
        ValueError: the plan is impossible, see `BatchPlan`; `holdout` takes no example, or a whole corpus; a weight is
            of no corpus; or a corpus has no hard negatives, and the loss needs them.
    """

    def __init__(
        self,
        corpora: Sequence[ParallelCorpus],
        policy: BatchPolicy,
        tokenize: Tokenize,
        config: BatchConfig,
        seed: int,
        teacher_tokenize: Tokenize | None = None,
        length: RunLength | None = None,
        changes: Collection[str] = (),
        translations: Translations = NONE,
        needs_negatives: bool = False,
        validation: ValidationSet | None = None,
    ) -> None:
        super().__init__()
        self.teacher_tokenize = teacher_tokenize
        self.config, self.policy, self.seed, self.tokenize = config, policy, seed, tokenize
        self.changes, self.translations = changes, translations
        config.check_corpora([corpus.name for corpus in corpora])
        self.corpora = self.training = self._opened(corpora)
        self.validation = self.validation_corpora = self._opened(validation.corpora if validation else ())
        if needs_negatives:
            _check_negatives([*self.corpora, *self.validation_corpora])
        if config.holdout:
            assert validation is None, "one source of the validation loss"
            self.training, self.validation = hold_out(self.corpora, config.holdout, seed)
        self.plan = self._plan(self.training, policy, config.batches_per_epoch, length)
        self.validation_plan: BatchPlan | None = None
        if validation is not None:
            self.validation_plan = validation.plan(config.batch_size, translations)
        elif self.validation:
            self.validation_plan = self._held_out_plan()
        self._sampler: BatchPlanSampler | None = None
        self._position = (0, 0)  # the epoch, and its batches already trained on

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that batches can have."""
        return tuple(self.config.languages or sorted({code for corpus in self.training for code in corpus.languages}))

    def train_dataloader(self) -> PlannedLoader:
        loader = self._loader(self.plan, self.training)
        self._sampler = loader.sampler
        self._sampler.epoch, self._sampler.start = self._position
        return loader

    def val_dataloader(self) -> PlannedLoader | list[PlannedLoader]:
        if self.validation_plan is None:
            return []
        return self._loader(self.validation_plan, self.validation, fixed_epoch=True)

    def state_dict(self) -> dict[str, Any]:
        """The position in the plan, for checkpoints; Lightning restores it before it builds the loaders.

        It is taken from Lightning's counters, because workers draw batches ahead, and because a checkpoint may be saved
        in the middle of a batch.
        """
        assert self.trainer is not None and self._sampler is not None
        trained = self.trainer.fit_loop.epoch_loop.batch_progress.current.processed  # type: ignore[attr-defined]
        return self._counted | {"epoch": self._sampler.epoch, "trained": trained}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume at a checkpoint's position.

        Raises:
            ValueError: the checkpoint was written under another plan; see `position_after`.
        """
        self._position = position_after(state_dict, self._counted, self.changes)

    @cached_property
    def _counted(self) -> dict[str, Any]:
        """The fingerprints and sizes that a checkpoint's position refers to."""
        assert self.trainer is not None
        own = {VALIDATION: corpora_fingerprint(self.validation_corpora)} if self.validation_corpora else {}
        return own | {
            "plan": self.plan.fingerprint(),
            "corpora": corpora_fingerprint(self.corpora),
            "batches": len(self.plan),
            WORLD_SIZE: self.trainer.world_size,
        }

    def _opened(self, corpora: Sequence[ParallelCorpus]) -> list[ParallelCorpus]:
        return [corpus if self.config.mapped else corpus.unmapped() for corpus in corpora]

    def _held_out_plan(self) -> BatchPlan:
        try:
            return self._plan(self.validation, self.policy.settled())  # the same batches at any time in the run
        except ValueError as error:
            raise ValueError(
                f"the {self.config.holdout} held-out examples (data.holdout) are too few: {error}"
            ) from error

    def _plan(
        self,
        corpora: Sequence[ParallelCorpus],
        policy: BatchPolicy,
        batches_per_epoch: int | None = None,
        length: RunLength | None = None,
    ) -> BatchPlan:
        config, weights = self.config, self.config.weights or {}
        coverages = [corpus.coverage(self._languages_of(corpus)) for corpus in corpora]
        coverages = [replace(one, declared=weights.get(one.corpus, one.declared)) for one in coverages]
        return BatchPlan(
            coverages,
            policy,
            config.batch_size,
            self.seed,
            config.temperature,
            batches_per_epoch,
            length,
            self.translations,
        )

    def _languages_of(self, corpus: ParallelCorpus) -> list[str] | None:
        """The languages to use from one corpus. Each configured language must be in at least one corpus."""
        if self.config.languages is None:
            return None
        known = {code for other in self.training for code in other.languages}
        unknown = sorted(set(self.config.languages) - known)
        if unknown:
            raise ValueError(f"data.languages names {', '.join(unknown)}; the corpora have {', '.join(sorted(known))}")
        return [code for code in self.config.languages if code in corpus.languages]

    def _loader(self, plan: BatchPlan, corpora: Sequence[ParallelCorpus], fixed_epoch: bool = False) -> PlannedLoader:
        rank, world_size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        return PlannedLoader(
            PlannedBatches(
                corpora,
                [coverage.languages for coverage in plan.coverages],
                self.tokenize,
                self.config.negatives,
                any_language=self.config.negative_languages == "any",
                teacher_tokenize=self.teacher_tokenize,
            ),
            sampler=BatchPlanSampler(plan, rank, world_size, fixed_epoch),
            batch_size=None,
            num_workers=self.config.num_workers,
            persistent_workers=self.config.num_workers > 0,
        )


def _check_negatives(corpora: Sequence[ParallelCorpus]) -> None:
    """Raises ValueError if a corpus has no hard negatives: its rows would have nothing to be compared with."""
    without = [corpus.name for corpus in corpora if not corpus.has_negatives]
    if without:
        raise ValueError(
            f"loss.negatives=hard compares a question with hard negatives alone, and {', '.join(without)} has none; "
            "mine some (docs/training.md), take another corpus, or set loss.negatives=all"
        )
