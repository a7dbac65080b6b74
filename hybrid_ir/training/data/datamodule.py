"""The LightningDataModule: corpora and a policy become loaders of planned batches."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
from hybrid_ir.training.data.collator import PlannedBatches, Tokenize
from hybrid_ir.training.data.loader import PlannedLoader
from hybrid_ir.training.data.position import WORLD_SIZE, position_after

log = logging.getLogger(__name__)


@dataclass
class BatchConfig:
    """How batches are made of the corpora.

    Attributes:
        batch_size: rows of the GLOBAL batch, over all processes.
        languages: the only languages to train on; None for all of the corpora.
        temperature: corpora are drawn in proportion to size^(1/temperature).
        batches_per_epoch: length of an epoch; None for one visit to every example.
        negatives: hard negatives a question, at most.
        negative_languages: `passage` takes negatives in the language of the pair's passage, `any` in whatever language.
        holdout: examples kept out of training for the validation loss.
        num_workers: processes that tokenise ahead of training; no influence on results.
        mapped: read texts through a mapping of their files, whose pages count as memory of the process that reads
            them; False reads by system calls, slower and with nothing left behind. No influence on results.
    """

    batch_size: int = 100
    languages: list[str] | None = None
    temperature: float = 1.0
    batches_per_epoch: int | None = None
    negatives: int = 0
    negative_languages: str = "passage"
    holdout: int = 0
    num_workers: int = 2
    mapped: bool = True

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise ValueError(f"data.batch_size is {self.batch_size}; in-batch negatives need at least 2 rows")
        if self.temperature <= 0:
            raise ValueError(f"data.temperature is {self.temperature}; it must be positive")
        if self.batches_per_epoch is not None and self.batches_per_epoch < 1:
            raise ValueError(
                f"data.batches_per_epoch is {self.batches_per_epoch}; it must be at least 1, or null for one visit to "
                "every example"
            )
        if self.negative_languages not in ("passage", "any"):
            raise ValueError(f"data.negative_languages is {self.negative_languages!r}; it must be 'passage' or 'any'")
        for name in ("negatives", "holdout", "num_workers"):
            if getattr(self, name) < 0:
                raise ValueError(f"data.{name} is {getattr(self, name)}; it must not be negative")


class HybridDataModule(L.LightningDataModule):
    """Serves hybrid batches for training and, where examples are held out, for the validation loss.

    Args:
        corpora: the training corpora.
        policy: which batches are drawn.
        tokenize: texts and their kind to tokens.
        config: see `BatchConfig`.
        seed: seed of the plan and of the held-out examples.
        teacher_tokenize: texts to a teacher's tokens, where there is a teacher.
        length: when training ends by plan; a schedule of the policy runs over it.
        changes: when resuming, keys of the configuration that may differ from the checkpoint's.
        translations: what the loss wants of every row beside its pair.

    Raises:
        ValueError: the plan is impossible, see `BatchPlan`; or nothing can be held out, or a whole corpus would be.
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
    ) -> None:
        super().__init__()
        self.teacher_tokenize = teacher_tokenize
        self.config, self.policy, self.seed, self.tokenize = config, policy, seed, tokenize
        self.changes, self.translations = changes, translations
        self.validation: list[ParallelCorpus] = []
        self.corpora = self.training = [corpus if config.mapped else corpus.unmapped() for corpus in corpora]
        if config.holdout:
            self.training, self.validation = self._hold_out(self.corpora)
        self.plan = self._plan(self.training, policy, config.batches_per_epoch, length)
        self.validation_plan = self._validation_plan() if self.validation else None
        self._sampler: BatchPlanSampler | None = None
        self._position = (0, 0)  # epoch, batches of it already trained on

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that batches may be in."""
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
        """Position in the plan, for checkpoints. Lightning restores it before it builds the loaders.

        It is taken from the progress of training: workers have drawn batches ahead, and a checkpoint may be asked for
        in the middle of a batch.
        """
        assert self.trainer is not None and self._sampler is not None
        trained = self.trainer.fit_loop.epoch_loop.batch_progress.current.processed  # type: ignore[attr-defined]
        return self._counted | {"epoch": self._sampler.epoch, "trained": trained}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a checkpoint stopped.

        Raises:
            ValueError: the checkpoint was written under another plan; see `position_after`.
        """
        self._position = position_after(state_dict, self._counted, self.changes)

    @cached_property
    def _counted(self) -> dict[str, Any]:
        """What a checkpoint's position counts in."""
        assert self.trainer is not None
        return {
            "plan": self.plan.fingerprint(),
            "corpora": corpora_fingerprint(self.corpora),
            "batches": len(self.plan),
            WORLD_SIZE: self.trainer.world_size,
        }

    def _hold_out(self, corpora: Sequence[ParallelCorpus]) -> tuple[list[ParallelCorpus], list[ParallelCorpus]]:
        """Split every corpus, each giving its share of the held-out examples."""
        training, held_out = [], []
        shares = _shares(self.config.holdout, [len(corpus) for corpus in corpora])
        for corpus, share in zip(corpora, shares, strict=True):
            try:
                kept, out = corpus.holdout(share, self.seed) if share else (corpus, None)
            except ValueError as error:
                raise ValueError(
                    f"data.holdout is {self.config.holdout}: {error}; hold out more, or none (data.holdout=0)"
                ) from error
            training.append(kept)
            held_out += [] if out is None else [out]
        found, total = sum(map(len, held_out)), sum(map(len, corpora))
        log.info("held out %d of %d examples for the validation loss", found, total)
        return training, held_out

    def _validation_plan(self) -> BatchPlan:
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
        coverages = [corpus.coverage(self._languages_of(corpus)) for corpus in corpora]
        config = self.config
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
        """The languages to use of one corpus; a language must be in some corpus, not in each."""
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


def _shares(holdout: int, sizes: Sequence[int]) -> list[int]:
    """How many examples corpora of these sizes give for the validation loss.

    Raises:
        ValueError: no corpus gives any, or one gives all it has.
    """
    total = sum(sizes)
    shares = [round(holdout * size / total) for size in sizes]
    if not any(shares):
        raise ValueError(
            f"data.holdout is {holdout}, too few for any of {len(sizes)} corpora to give one example; hold out "
            f"{total // (2 * max(sizes)) + 1} or more, or none (data.holdout=0)"
        )
    if any(share >= size for share, size in zip(shares, sizes, strict=True)):
        most = (total * (2 * min(sizes) - 1) - 1) // (2 * min(sizes))  # so that the smallest keeps an example
        raise ValueError(
            f"data.holdout is {holdout} of {total} examples, which leaves some corpus none to train on; hold out "
            f"{most} or fewer"
        )
    return shares
