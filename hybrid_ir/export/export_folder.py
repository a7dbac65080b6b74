"""Exports a checkpoint as a model folder for transformers and sentence-transformers, atomically and verified.

The format is that of sentence-transformers up to version 5.3, with full module names and one boolean for each pooling
mode. Newer versions read it, too, and other programs read only this format.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedTokenizerFast

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.encoder.loading.published import load_encoder
from hybrid_ir.encoder.loading.sentence_layout import MODES, MODULES, OWN, PASSAGES, QUERY, SETTINGS, TRANSFORMER
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import tokenizer_from_files
from hybrid_ir.export.card import model_card
from hybrid_ir.export.onnx import write_onnx
from hybrid_ir.export.origin import read_origin
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.sources.atomic import replacing_folder
from hybrid_ir.sources.json_file import read_json_object

POOLING, DENSE = "1_Pooling", "2_Dense"
TRACES = ("is_local", "local_files_only", "max_length", "stride", "truncation_strategy")


def write_layout(folder: Path, encoder: TextEncoder) -> None:
    """Write all files of an encoder without adapters into an existing folder; weights are safetensors only.

    A sentence-transformers model has one length limit for all texts: the larger of those of queries and passages.

    Raises:
        ValueError: the pooler of this backbone is not a dense layer with tanh, which the layout cannot describe.
    """
    assert encoder.lora is None, "adapters are merged before an export"
    dense = _dense(encoder) if encoder.pooling == "pooler" else None
    longest = max(encoder.tokenizer.max_lengths.values())
    encoder.backbone.save_pretrained(folder)
    _write_tokenizer(folder, encoder, longest)
    prefixes, width = encoder.tokenizer.prefixes, encoder.backbone.config.hidden_size
    states = "mean" if encoder.pooling == "mean" else "cls"
    modules = {"Transformer": "", "Pooling": POOLING, "Dense": DENSE, "Normalize": "3_Normalize"}
    if dense is None:
        modules = {"Transformer": "", "Pooling": POOLING, "Normalize": "2_Normalize"}
    files: dict[str, Any] = {
        MODULES: [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
            for index, (name, path) in enumerate(modules.items())
        ],
        SETTINGS: {
            "model_type": "SentenceTransformer",
            "prompts": {QUERY: prefixes["query"], PASSAGES[0]: prefixes["passage"]},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        TRANSFORMER: {"max_seq_length": longest, "do_lower_case": False},
        f"{POOLING}/config.json": {
            "word_embedding_dimension": width,
            **{key: name == states for key, name in MODES.items()},
            "include_prompt": True,
        },
    }
    if dense is not None:
        files[f"{DENSE}/config.json"] = {
            "in_features": dense.in_features,
            "out_features": dense.out_features,
            "bias": True,
            "activation_function": "torch.nn.modules.activation.Tanh",
        }
    for path in modules.values():
        (folder / path).mkdir(exist_ok=True)
    for name, content in files.items():
        write_json(folder / name, content)
    if dense is not None:
        state = {f"linear.{key}": value.detach().cpu().contiguous() for key, value in dense.state_dict().items()}
        save_file(state, folder / DENSE / "model.safetensors", metadata={"format": "pt"})


def write_json(path: Path, content: Any) -> None:
    """Write plain containers as indented JSON."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _write_tokenizer(folder: Path, encoder: TextEncoder, longest: int) -> None:
    """Write the tokenizer without settings left over from loading and calling it."""
    tokenizer = tokenizer_from_files(encoder.tokenizer.files())
    tokenizer.model_max_length, tokenizer.padding_side = longest, "right"  # as this encoder pads
    if isinstance(tokenizer, PreTrainedTokenizerFast):
        tokenizer.backend_tokenizer.no_truncation()
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key not in TRACES}
    if config.get("tokenizer_class") == "TokenizersBackend":  # a name of transformers 5, unknown to version 4
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
    write_json(path, config)


def _dense(encoder: TextEncoder) -> nn.Linear:
    """The layer W, b of the pooler tanh(W h_cls + b)."""
    layers = dict(encoder.backbone.pooler.named_children())  # type: ignore[union-attr]
    dense = layers.get("dense")
    known = layers.keys() == {"dense", "activation"} and isinstance(layers["activation"], nn.Tanh)
    if not known or not isinstance(dense, nn.Linear):
        raise ValueError(
            f"the pooler of a {type(encoder.backbone).__name__} is not tanh(W h_cls + b), the only one that the "
            "layout of sentence-transformers has; train with model.pooling=mean or cls to export"
        )
    return dense


CARD = "README.md"
PUBLISHED = ("hybrid_ir", "commit", "libraries")  # provenance without details of the machine
TOLERANCE = 1e-5
SAMPLES = ("Where is Ulm?", "Ulm, Tuna kıyısında bir şehirdir.", "乌尔姆在哪里？", "Где находится Ульм?", "ulm " * 600)


def check_target(out: Path, overwrite: bool) -> None:
    """Check that a path is free, or holds an export that may be overwritten.

    Raises:
        ValueError: it holds something else; the message names it.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"out={out} is a file; name a folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    others = _files(out) - {OWN}
    with suppress(OSError, ValueError, KeyError, TypeError):  # no export, or a damaged one
        others -= set(read_json_object(out / OWN)["files"])
    if others:
        raise ValueError(f"out={out} holds {min(others)}, which no export wrote; name an empty or a new folder")
    if not overwrite:
        raise ValueError(f"out={out} holds an export; name another folder, or replace it with overwrite=true")


def export(
    checkpoint: Path, out: Path, name: str, license_name: str | None = None, onnx: bool = False, overwrite: bool = False
) -> None:
    """Write the encoder of a checkpoint as a folder that transformers and sentence-transformers load.

    The folder is written under a temporary name, read back, checked to give the checkpoint's vectors, and then renamed.

    Args:
        checkpoint: checkpoint file; its adapters are merged into the weights.
        out: the folder to write; a killed process leaves it unchanged.
        name: name of the model in its card.
        license_name: licence of the weights, by the hub's identifier; None states none.
        onnx: also write the ONNX graph.
        overwrite: replace an earlier export.

    Raises:
        ValueError: `out` is not free, or the format of sentence-transformers cannot describe the encoder; or
            `load_checkpoint_encoder`, `read_origin` or `write_onnx` raise it.
    """
    check_target(out, overwrite)
    encoder = load_checkpoint_encoder(checkpoint).eval()
    facts = {key: value for key, value in provenance().items() if key in PUBLISHED}
    facts["weights"] = encoder.describe()["weights"]
    origin = read_origin(checkpoint, facts["weights"])
    with replacing_folder(out) as draft:
        write_layout(draft, encoder)
        if onnx:
            write_onnx(draft, encoder)
        try:
            card = model_card(name, encoder, origin, facts, license_name, onnx)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                f"{checkpoint} or the results of its run are not of the form that is written: {error!r}"
            ) from error
        (draft / CARD).write_text(card, encoding="utf-8")
        limits = {f"max_{kind}_length": limit for kind, limit in encoder.tokenizer.max_lengths.items()}
        write_json(draft / OWN, {"version": 1, **limits, **facts, "files": sorted(_files(draft))})
        _read_back(draft, encoder)


def _files(folder: Path) -> set[str]:
    """Paths of all files in a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _read_back(folder: Path, encoder: TextEncoder) -> None:
    again = load_encoder(folder)
    for kind in encoder.tokenizer.prefixes:
        difference = (again.encode(SAMPLES, kind) - encoder.encode(SAMPLES, kind)).abs().max()
        assert torch.isfinite(difference) and difference < TOLERANCE, f"the export is off by {difference} for a {kind}"
