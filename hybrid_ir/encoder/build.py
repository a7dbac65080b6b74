"""Builds encoders from a hub model, a folder, a checkpoint, or from scratch."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer, BertConfig, BertModel

from hybrid_ir.encoder.architecture import (
    UnsuitableError,
    auto_class,
    ensure_padding,
    positions,
    prove,
    set_dropout,
    supported_attention,
)
from hybrid_ir.encoder.backbone import compile_in_place, merged_weights, reinitialise_upper_layers
from hybrid_ir.encoder.forward.pooling import load_dense
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, train_tokenizer
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.hub.fetch import UnreachableError
from hybrid_ir.sources.hub.model_guard import check_backbone
from hybrid_ir.sources.hub.repository import hub_source


def build_encoder(config: ModelConfig, texts: Callable[[], Iterable[str]], cache: Path) -> TextEncoder:
    """The encoder that `config` describes, in training mode.

    Args:
        config: the model.
        texts: returns the training texts; called only if a vocabulary has to be learned.
        cache: folder of learned vocabularies.

    Raises:
        ValueError: the backbone cannot be reached or found, does not fit the configuration, or needs a package that is
            not installed; or it does not work as a text encoder.
    """
    if (config.name_or_path is None) == (config.scratch is None):
        raise ValueError("set one of model.name_or_path (pretrained) and model.scratch (shape of a new encoder)")
    try:
        backbone, tokenizer = _from_scratch(config, texts, cache) if config.scratch else _pretrained(config)
    except ImportError as error:
        raise ValueError(
            f"model {config.name} with model.attention={config.attention} needs a package that is not installed: "
            f"{first_line(error)}"
        ) from error
    longest = max(config.max_query_length, config.max_passage_length)
    if longest > (most := positions(backbone)):
        raise ValueError(f"model.max_*_length is {longest}, but {config.name} takes {most:.0f} tokens at most")
    ensure_padding(tokenizer)
    prove(str(config.name_or_path or config.name), backbone, tokenizer)
    if config.reinit_layers:
        reinitialise_upper_layers(backbone, config.reinit_layers)
    if config.compile:
        compile_in_place(backbone, config.compile)
    return TextEncoder(
        backbone,
        TextTokenizer(
            tokenizer,
            config.query_prefix,
            config.passage_prefix,
            config.max_query_length,
            config.max_passage_length,
        ),
        config.pooling,
        config.max_tokens,
        config.freeze_embeddings,
        config.gradient_checkpointing,
        config.lora,
    )


def find_checkpoint(path: Path) -> Path:
    """The checkpoint file at `path`, the last one in a run's folder, or that of the newest run in a folder of runs.

    Raises:
        ValueError: there is none.
    """
    if not path.exists():
        raise ValueError(f"no checkpoint at {path}: there is no such file or folder")
    if path.is_file():
        return path
    files = [file for run in (path, *path.glob("*")) if (file := run / "checkpoints" / "last.ckpt").is_file()]
    if not files:
        raise ValueError(f"no checkpoint in {path}; name a .ckpt file, or the folder of a run that has one")
    return files[0] if files[0].parent.parent == path else max(files, key=lambda file: file.stat().st_mtime)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, memory-mapped, so tensors are read when they are used.

    Raises:
        ValueError: the file is damaged, or not a checkpoint.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, OSError, EOFError, UnpicklingError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged, or not a checkpoint: {first_line(error)}") from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("state_dict", {}), Mapping):
        raise ValueError(f"{path} is damaged, or not a checkpoint: it holds no weights by name")
    return checkpoint


def load_checkpoint_encoder(path: Path) -> TextEncoder:
    """The encoder in a training checkpoint; it needs neither the hub nor a configuration.

    Adapters are merged into the weights, so the backbone is an ordinary one.

    Raises:
        ValueError: the file is not a checkpoint of this project.
    """
    checkpoint = read_checkpoint(path)
    if "encoder_blueprint" not in checkpoint or "state_dict" not in checkpoint:
        raise ValueError(f"{path} was not written by hybrid_ir: it has no encoder_blueprint")
    blueprint, state = checkpoint["encoder_blueprint"], checkpoint["state_dict"]
    try:
        encoder = TextEncoder.from_blueprint(blueprint)
    except Exception as error:  # libraries may raise anything for an untrusted description
        raise ValueError(f"{path} describes an encoder that cannot be built: {first_line(error)}") from error
    try:
        encoder.load_state_dict(
            {key.removeprefix("encoder."): value for key, value in state.items() if key.startswith("encoder.")}
        )
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} holds other weights than its description says: {first_line(error)}") from error
    if encoder.lora is None:
        return encoder
    merged = TextEncoder.from_blueprint(blueprint | {"lora": None})
    merged.backbone.load_state_dict(merged_weights(encoder.backbone))
    return merged


def _pretrained(config: ModelConfig) -> tuple[Any, Any]:
    name = str(Path(str(config.name_or_path)).expanduser())
    folder = Path(name)
    if str(config.name_or_path).startswith((".", "/", "~")) and not folder.is_dir():
        raise ValueError(f"model.name_or_path={name} is not a folder")
    source = hub_source(name, config.revision)
    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()  # its report calls an unused pooler missing; we check below
    try:
        check_backbone(name, source)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, **source)
        settings = AutoConfig.from_pretrained(name, trust_remote_code=False, **source)
        set_dropout(settings, config.dropout)
        backbone, report = auto_class(settings).from_pretrained(
            name,
            config=settings,
            dtype=torch.float32,  # the default "auto" would train a half-precision checkpoint in half precision
            attn_implementation=supported_attention(settings, config.attention),
            output_loading_info=True,
            trust_remote_code=False,
            weights_only=True,
            **source,
        )
        dense = config.pooling == "pooler" and load_dense(backbone, name, **source)
    except (InputError, UnsuitableError):
        raise
    except (OSError, ValueError, SafetensorError, UnpicklingError) as error:
        reason = first_line(error)
        if folder.is_dir():
            raise ValueError(f"model.name_or_path={name} is not a complete Hugging Face model: {reason}") from error
        pinned = f" at {source['revision']}" if config.revision is None and source["revision"] else ""
        raise UnreachableError(f"the backbone {name}{pinned}", reason) from error
    finally:
        transformers.logging.set_verbosity(verbosity)
    needed = [key for key in report["missing_keys"] if not key.startswith("pooler.")]
    if config.pooling == "pooler" and not dense:
        needed = list(report["missing_keys"])
    if needed:
        raise ValueError(
            f"{name} has no weights for {len(needed)} parameters of a {type(backbone).__name__}, such as {needed[0]}: "
            "it is another architecture, or model.pooling asks for a pooler that was never trained"
        )
    return backbone, tokenizer


def _from_scratch(config: ModelConfig, texts: Callable[[], Iterable[str]], cache: Path) -> tuple[Any, Any]:
    shape = config.scratch
    assert shape is not None
    fingerprint = hashlib.sha256(str(shape.vocab_size).encode())
    for text in texts():
        fingerprint.update(text.encode() + b"\0")
    vocabulary = cache / "tokenizers" / f"{fingerprint.hexdigest()[:16]}.json"
    tokenizer = train_tokenizer(texts(), shape.vocab_size, vocabulary)
    settings = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.hidden_size,
        max_position_embeddings=shape.max_positions,
        pad_token_id=tokenizer.pad_token_id,
    )
    set_dropout(settings, config.dropout)
    backbone = BertModel(settings)
    backbone.set_attn_implementation(config.attention)
    return backbone, tokenizer
