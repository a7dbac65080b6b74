"""Examples of the validation loss: held out of the training corpora, or corpora of their own."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import MONOLINGUAL, BatchPolicy, Single
from hybrid_ir.sampling.translations import Translations

log = logging.getLogger(__name__)

EACH_LANGUAGE = Single(MONOLINGUAL, "validation")
SEED = 0  # not the run's: its validation loss is to be that of runs with other seeds


@dataclass(frozen=True)
class ValidationSet:
    """Corpora that are not trained on, and the batches in which their loss is computed.

    With the same batch size all runs have the same batches, whatever their sampler, languages and seed.

    Attributes:
        corpora: the corpora.
        policy: which kinds of batches are drawn. A schedule counts as ended.
    """

    corpora: Sequence[ParallelCorpus]
    policy: BatchPolicy = EACH_LANGUAGE

    def plan(self, batch_size: int, translations: Translations) -> BatchPlan:
        """The plan whose epoch 0 is the validation set.

        Raises:
            ValueError: the corpora cannot fill a batch, or lack the languages of the policy or the translations.
        """
        coverages = [corpus.coverage() for corpus in self.corpora]
        try:
            return BatchPlan(coverages, self.policy.settled(), batch_size, SEED, translations=translations)
        except ValueError as error:
            raise ValueError(f"data.validation does not fit this run: {error}") from error


def hold_out(
    corpora: Sequence[ParallelCorpus], count: int, seed: int
) -> tuple[list[ParallelCorpus], list[ParallelCorpus]]:
    """Split every corpus into a training part and a held-out part, in proportion to its size.

    Args:
        corpora: the corpora.
        count: the number of examples to hold out of all corpora together.
        seed: seed of the draw.

    Returns:
        The training parts, and the held-out parts that are not empty.

    Raises:
        ValueError: nothing would be held out of any corpus, or all of one.
    """
    training, held_out = [], []
    shares = _shares(count, [len(corpus) for corpus in corpora])
    for corpus, share in zip(corpora, shares, strict=True):
        try:
            kept, out = corpus.holdout(share, seed) if share else (corpus, None)
        except ValueError as error:
            raise ValueError(f"data.holdout is {count}: {error}; hold out more, or none (data.holdout=0)") from error
        training.append(kept)
        held_out += [] if out is None else [out]
    found, total = sum(map(len, held_out)), sum(map(len, corpora))
    log.info("held out %d of %d examples for the validation loss", found, total)
    return training, held_out


def _shares(holdout: int, sizes: Sequence[int]) -> list[int]:
    """The number of examples to hold out of each corpus, in proportion to the sizes.

    Raises:
        ValueError: nothing would be held out of any corpus, or all of one.
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
