"""Exports an encoder as one ONNX graph, from token ids to unit vectors."""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_ir.encoder.forward.pooling import POOLINGS
from hybrid_ir.encoder.text_encoder import TextEncoder

GRAPH = "onnx/encoder.onnx"
INPUTS, OUTPUT = ("input_ids", "attention_mask"), "sentence_embedding"
OPSET = 18
NEEDED = ("onnx", "onnxscript")
ONE_FILE = 2**30  # bytes of weights that stay in the graph's own file, which must be below 2 GiB


class Graph(nn.Module):
    """Backbone, pooling and normalisation of padded texts as a function of tensors only."""

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(encoder.backbone).float().cpu().eval()
        self.backbone.set_attn_implementation("eager")  # plain matrix products, since ONNX cannot express fused kernels
        self.pool = POOLINGS[encoder.pooling]
        self.eval()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Token ids int64 (N, L) and mask int64 (N, L), 1 at a token -> vectors float32 (N, D), unit rows."""
        output = self.backbone(input_ids=input_ids, attention_mask=attention_mask)
        return F.normalize(self.pool(output, attention_mask), dim=-1)


def check_onnx() -> None:
    """Check that the libraries of the ONNX export are installed.

    Raises:
        ValueError: they are not; the message has the pip command.
    """
    try:
        for library in NEEDED:
            import_module(library)
    except ImportError:
        raise ValueError(f"onnx=true needs two libraries: pip install {' '.join(NEEDED)}") from None


def write_onnx(folder: Path, encoder: TextEncoder) -> Path:
    """Write `onnx/encoder.onnx` into a model folder; weights of more than 1 GiB go to a file next to it.

    The graph maps `input_ids` and `attention_mask`, for any number of texts and any length up to the backbone's limit,
    to `sentence_embedding`. Prefixes and truncation are left to the tokenizer.

    Raises:
        ValueError: `check_onnx` raises it.
    """
    check_onnx()
    graph, path = Graph(encoder), folder / GRAPH
    path.parent.mkdir(exist_ok=True)
    ids = torch.full((2, 7), encoder.pad_token_id + 1)
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    size = sum(value.numel() * value.element_size() for value in graph.state_dict().values())
    axes: Any = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}
    with _quiet():
        torch.onnx.export(
            graph,
            (ids, mask),
            path,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=dict.fromkeys(INPUTS, axes),
            opset_version=OPSET,
            external_data=size > ONE_FILE,
            dynamo=True,
            verbose=False,
        )
    return path


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's messages on shared axes, missing torchvision and folded nodes."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
