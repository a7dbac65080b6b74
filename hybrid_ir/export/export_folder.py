"""Exports a checkpoint as a model folder, atomically and verified."""

from contextlib import suppress
from pathlib import Path

import torch

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.encoder.loading.published import load_encoder
from hybrid_ir.encoder.loading.sentence_layout import OWN
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.export.card import model_card
from hybrid_ir.export.layout import write_json, write_layout
from hybrid_ir.export.onnx import write_onnx
from hybrid_ir.export.origin import read_origin
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.sources.atomic import replacing_folder
from hybrid_ir.sources.json_file import read_json_object

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
