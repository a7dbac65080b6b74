"""Whether a run may resume from a checkpoint: same encoder, teacher, batch plan, corpora and number of processes."""

from collections.abc import Collection, Mapping
from typing import Any

from hybrid_ir.encoder.tokenization import fingerprint
from hybrid_ir.sampling.schedule import RUN_LENGTH

ENCODER = ("pooling", "query_prefix", "passage_prefix", "lora")
BACKBONE = ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
WORLD_SIZE = "world_size"  # the number of processes, as named in `resume_changes`
VALIDATION = "validation"  # fingerprint of the validation corpora, if there are any
PLAN_KEYS = ("seed", "sampler", "data", *(f"trainer.{key}" for key in RUN_LENGTH))  # keys that decide the plan
POSITION_KEYS = {"plan", "corpora", "batches", WORLD_SIZE, "epoch", "trained"}


def refuse_other_encoder(
    checkpoint: Mapping[str, Any], blueprint: Mapping[str, Any], teacher: Mapping[str, Any] | None
) -> None:
    """Refuse a checkpoint of another encoder before PyTorch lists hundreds of mismatched tensors.

    Args:
        checkpoint: the checkpoint's content, as Lightning read it.
        blueprint: this run's `TextEncoder.blueprint`.
        teacher: description of this run's teacher, if it has one; see `Teacher.describe`.

    Raises:
        ValueError: the teacher, the backbone's shape, the pooling, the prefixes or the tokenizer differ.
    """
    if checkpoint.get("teacher") != teacher:
        raise ValueError(
            "the checkpoint was trained with another teacher than this run's: its weights, tokenizer, prefixes or "
            "length limits differ; resume with the teacher of config.yaml in the run's folder"
        )
    theirs = checkpoint.get("encoder_blueprint")
    if theirs is None:
        raise ValueError("the checkpoint was not written by hybrid_ir: it has no encoder_blueprint")
    different = [key for key in ENCODER if blueprint[key] != theirs.get(key)]
    backbones = blueprint["backbone"], theirs["backbone"]
    different += [f"backbone.{key}" for key in BACKBONE if backbones[0].get(key) != backbones[1].get(key)]
    if fingerprint(blueprint["tokenizer_files"]) != fingerprint(theirs["tokenizer_files"]):
        different.append("tokenizer")
    if different:
        raise ValueError(
            f"the checkpoint holds another encoder than this configuration: {', '.join(different)} differ; "
            "resume with the configuration in the run's config.yaml"
        )


def check_position(state: Mapping[str, Any]) -> None:
    """Check that a checkpoint records its position in the plan.

    Raises:
        ValueError: an earlier version of hybrid_ir wrote it, without some of `POSITION_KEYS`.
    """
    absent = sorted(POSITION_KEYS - state.keys())
    if absent:
        raise ValueError(
            f"the checkpoint is of an earlier version of hybrid_ir and holds no {', '.join(absent)}: training cannot "
            "resume from it; evaluate it with checkpoint=..., or start a new run"
        )


def position_after(state: Mapping[str, Any], ours: Mapping[str, Any], changes: Collection[str] = ()) -> tuple[int, int]:
    """The position at which training resumes: the epoch, and the batches of that epoch already trained on.

    Args:
        state: from the checkpoint: the fingerprints `plan`, `corpora` and, if the run has such corpora, `validation`;
            `batches` of an epoch, `world_size`, and the position as `epoch` and the batches `trained` in it.
        ours: the same for this run, without the position.
        changes: keys of the configuration that may differ; a new plan resumes at the position of the old one.

    Raises:
        ValueError: the plan, the corpora, the validation corpora or the number of processes differ from the
            checkpoint's, and `changes` does not allow it; the position is not in the new plan; or `check_position`
            fails.
    """
    check_position(state)
    if state["plan"] != ours["plan"] and not any(_overlap(change, key) for change in changes for key in PLAN_KEYS):
        raise ValueError(
            "the checkpoint belongs to another batch plan: seed, sampler, data.batch_size, data.languages, "
            "data.weights, the corpora or (with sampler.schedule) the planned length of training differ from this "
            "run's; resume with the configuration in the run's config.yaml"
        )
    if state["corpora"] != ours["corpora"] and not any(_overlap(change, "data.corpora") for change in changes):
        raise ValueError(
            "the corpora are not the checkpoint's: examples, texts, hard negatives or what counts as the same content "
            "differ; restore them, or resume with the new ones by resume_changes=[data.corpora]"
        )
    other_losses = state.get(VALIDATION) != ours.get(VALIDATION)
    if other_losses and not any(_overlap(change, "data.validation") for change in changes):
        raise ValueError(
            "the validation corpora are not the checkpoint's, so their losses cannot be compared; restore them, or "
            "resume with the new ones by resume_changes=[data.validation]"
        )
    if state[WORLD_SIZE] != ours[WORLD_SIZE] and WORLD_SIZE not in changes:
        raise ValueError(
            f"the checkpoint was written by {state[WORLD_SIZE]} processes, and this run has {ours[WORLD_SIZE]}: it "
            "would train on the same batches, but with other dropout and other rounding; to allow that, set "
            f"resume_changes=[{WORLD_SIZE}]"
        )
    trained = state["trained"] % state["batches"]
    if trained > ours["batches"]:
        raise ValueError(
            f"the checkpoint is {trained} batches into its epoch, but an epoch of the new plan has {ours['batches']}; "
            "resume from the end of an epoch, or keep data.batches_per_epoch"
        )
    return state["epoch"], trained


def _overlap(one: str, other: str) -> bool:
    """Whether one of two configuration keys equals or contains the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
