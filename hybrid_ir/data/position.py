"""Where training stands in its plan, as a checkpoint keeps it, and whether a run may go on from there."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.sampling.plan import BatchPlan

WORLD_SIZE = "world_size"  # what `resume_changes` calls the number of processes
PLANNING = ("seed", "sampler", "data", "trainer")  # what decides the plan; the trainer where alpha has a schedule
SAMPLED = 8  # batches


def position_after(state: Mapping[str, Any], ours: Mapping[str, Any], changes: Collection[str] = ()) -> tuple[int, int]:
    """The epoch, and the batches of it already trained on, of a checkpoint.

    Args:
        state: what the checkpoint holds: `plan` and `texts`, two digests; `batches` of an epoch; `world_size`; and
            the position, `epoch` and the batches `trained` in it.
        ours: the same of this run, but for the position.
        changes: keys of the configuration that may have changed; a new plan goes on at the position of the old one.

    Raises:
        ValueError: the checkpoint belongs to another plan, other texts or another number of processes, and `changes`
            does not allow for it; or the position is not in the new plan.
    """
    planned = any(change.split(".")[0] in PLANNING for change in changes)
    if state["plan"] != ours["plan"] and not planned:
        raise ValueError(
            "the checkpoint belongs to another batch plan: seed, sampler, data.batch_size, data.languages, the corpora "
            "or (with sampler.schedule) the planned length of training differ from this run's; resume with the "
            "configuration in the run's config.yaml"
        )
    if state["plan"] == ours["plan"] and state["texts"] != ours["texts"] and not planned:
        raise ValueError(
            "the corpora have the checkpoint's numbers of examples and languages, but other texts; bring them back, "
            "or go on with the new ones from here on: resume_changes=[data]"
        )
    if state[WORLD_SIZE] != ours[WORLD_SIZE] and WORLD_SIZE not in changes:
        raise ValueError(
            f"the checkpoint was written by {state[WORLD_SIZE]} processes, and {ours[WORLD_SIZE]} are to go on. They "
            "would train on the same batches, but draw other dropout and round sums otherwise: allow it with "
            f"resume_changes=[{WORLD_SIZE}]"
        )
    trained = state["trained"] % state["batches"]
    if trained > ours["batches"]:
        raise ValueError(
            f"the checkpoint is {trained} batches into its epoch, and an epoch of the new plan has {ours['batches']}; "
            "resume from the end of an epoch, or keep data.batches_per_epoch"
        )
    return state["epoch"], trained


def texts_digest(plan: BatchPlan, corpora: Sequence[ParallelCorpus], languages: Sequence[Sequence[str]]) -> str:
    """SHA-256 of the ids and texts of a few batches, spread over the first epoch.

    The plan knows sizes and languages, not texts: this tells a corpus that was built anew from another source. It does
    not find the change of a single text.

    Args:
        plan: the plan.
        corpora: its corpora.
        languages: for each corpus the languages that the plan counts in.
    """
    digest, epoch = hashlib.sha256(), plan.epoch(0)
    for number in range(SAMPLED):
        batch = epoch[number * (len(epoch) - 1) // (SAMPLED - 1)]
        corpus, codes = corpora[batch.corpus], languages[batch.corpus]
        asked, answered = (
            [codes[code] for code in side] for side in (batch.question_languages, batch.passage_languages)
        )
        texts = corpus.fetch(batch.examples, asked, answered)
        for text in (*corpus.example_ids(batch.examples), *texts.questions, *texts.passages):
            digest.update(text.encode() + b"\0")
    return digest.hexdigest()
