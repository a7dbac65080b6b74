"""The ONNX graph computes the checkpoint's vectors, for any number and length of texts."""

import logging
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.export import onnx
from hybrid_ir.export.export_folder import export
from tests.commands import REPOSITORY
from tests.export.conftest import ODD_TEXTS, PASSAGE_LIMIT, MakeCheckpoint
from tests.export.examples import blocks, run_block


def test_onnxruntime_gives_the_same_vectors(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # as in a run
    checkpoint, out = make_checkpoint("xlm-roberta", "pooler", rank=2), tmp_path / "my_model"
    export(checkpoint, out, "my_model", onnx=True)
    assert caplog.text == ""
    graph = out / onnx.GRAPH
    assert list(graph.parent.iterdir()) == [graph]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    encoder = load_checkpoint_encoder(checkpoint)
    for texts in (ODD_TEXTS, ODD_TEXTS[:1], ODD_TEXTS[-1:], ODD_TEXTS * 3):
        for kind in ("query", "passage"):
            tokens = encoder.tokenizer.tokenizer(
                [f"{kind}: {text}" for text in texts],
                padding=True, truncation=True, max_length=PASSAGE_LIMIT, return_tensors="np",
            )  # fmt: skip
            (vectors,) = session.run([onnx.OUTPUT], {name: tokens[name] for name in onnx.INPUTS})
            np.testing.assert_allclose(vectors, encoder.encode(texts, kind), atol=1e-5)
    assert "`onnx/encoder.onnx` is the whole encoder" in (out / "README.md").read_text()
    first, second = (run_block(block, out, monkeypatch) for block in blocks(REPOSITORY / "docs" / "export.md"))
    np.testing.assert_allclose(first["queries"], second["vectors"], atol=1e-5)


@pytest.mark.parametrize("library", ["onnx", "onnxscript"])
def test_what_is_missing_is_named(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ValueError, match="pip install onnx onnxscript"):
        onnx.check_onnx()
