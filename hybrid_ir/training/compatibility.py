"""Whether a checkpoint's weights fit the encoder that a run trains."""

from collections.abc import Mapping
from typing import Any

from hybrid_ir.encoder.tokenization import fingerprint

ENCODER = ("pooling", "query_prefix", "passage_prefix", "lora")
BACKBONE = ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")


def refuse_other_encoder(
    checkpoint: Mapping[str, Any], blueprint: Mapping[str, Any], teacher: Mapping[str, Any] | None
) -> None:
    """Refuse a checkpoint of another encoder before PyTorch lists hundreds of mismatched tensors.

    Args:
        checkpoint: what Lightning read from the file.
        blueprint: of the encoder that is to go on; see `TextEncoder.blueprint`.
        teacher: description of the teacher that it learns from, if any; see `Teacher.describe`.

    Raises:
        ValueError: the teacher, the backbone's shape, the pooling, the prefixes or the tokenizer differ; says which.
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
