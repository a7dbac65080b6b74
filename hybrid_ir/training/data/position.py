"""Where training stands in its plan, as a checkpoint keeps it, and whether a run may go on from there."""

from collections.abc import Collection, Mapping
from typing import Any

from hybrid_ir.sampling.schedule import RUN_LENGTH

WORLD_SIZE = "world_size"  # what `resume_changes` calls the number of processes
PLANNING = ("seed", "sampler", "data", *(f"trainer.{key}" for key in RUN_LENGTH))  # the plan
HELD = {"plan", "corpora", "batches", WORLD_SIZE, "epoch", "trained"}  # what a checkpoint says of its position


def check_position(state: Mapping[str, Any]) -> None:
    """Raises ValueError where a checkpoint of an earlier version of hybrid_ir lacks what a position is known by."""
    absent = sorted(HELD - state.keys())
    if absent:
        raise ValueError(
            f"the checkpoint is of an earlier version of hybrid_ir and holds no {', '.join(absent)}: training cannot "
            "go on from it; evaluate it with checkpoint=..., or start a new run"
        )


def position_after(state: Mapping[str, Any], ours: Mapping[str, Any], changes: Collection[str] = ()) -> tuple[int, int]:
    """The epoch, and the batches of it already trained on, of a checkpoint.

    Args:
        state: what the checkpoint holds: `plan` and `corpora`, two digests; `batches` of an epoch; `world_size`; and
            the position, `epoch` and the batches `trained` in it.
        ours: the same of this run, but for the position.
        changes: keys of the configuration that may have changed; a new plan goes on at the position of the old one.

    Raises:
        ValueError: the checkpoint belongs to another plan, other corpora or another number of processes, and `changes`
            does not allow for it; or the position is not in the new plan, or not known; see `check_position`.
    """
    check_position(state)
    if state["plan"] != ours["plan"] and not any(_overlap(change, key) for change in changes for key in PLANNING):
        raise ValueError(
            "the checkpoint belongs to another batch plan: seed, sampler, data.batch_size, data.languages, the corpora "
            "or (with sampler.schedule) the planned length of training differ from this run's; resume with the "
            "configuration in the run's config.yaml"
        )
    if state["corpora"] != ours["corpora"] and not any(_overlap(change, "data.corpora") for change in changes):
        raise ValueError(
            "the corpora are not the checkpoint's: examples, texts, hard negatives or what counts as the same content "
            "differ; bring them back, or go on with the new ones from here on: resume_changes=[data.corpora]"
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


def _overlap(one: str, other: str) -> bool:
    """Whether one key is the other, or above or below it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
