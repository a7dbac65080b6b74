"""An export gives the checkpoint's vectors, whichever library loads it."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sentence_transformers import SentenceTransformer

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.encoder.loading.published import load_encoder
from hybrid_ir.evaluation.baselines.sentence_transformers import SentenceTransformerEncoder
from hybrid_ir.export.export_folder import export
from hybrid_ir.sources.hub.repository import MODEL_PINS
from tests.export.conftest import ODD_TEXTS, PASSAGE_LIMIT, QUERY_LIMIT, MakeCheckpoint
from tests.export.examples import blocks, run_block

MODELS = [("bert", "mean", 0), ("xlm-roberta", "cls", 2), ("bert", "pooler", 2)]  # 2: the rank of adapters


def close(found: Any, expected: torch.Tensor) -> bool:
    return float((torch.as_tensor(np.asarray(found)) - expected).abs().max()) < 1e-6


@pytest.mark.parametrize(("architecture", "pooling", "rank"), MODELS)
def test_vectors_are_those_of_the_checkpoint(
    architecture: str, pooling: str, rank: int, make_checkpoint: MakeCheckpoint, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    checkpoint, out = make_checkpoint(architecture, pooling, rank), tmp_path / "out"
    export(checkpoint, out, "out")
    encoder = load_checkpoint_encoder(checkpoint)
    queries, passages = (encoder.encode(ODD_TEXTS, kind) for kind in ("query", "passage"))
    assert not close(queries, passages)
    model = SentenceTransformer(str(out), device="cpu")
    assert close(model.encode_query(ODD_TEXTS), queries) and close(model.encode_document(ODD_TEXTS), passages)
    assert close(model.encode(ODD_TEXTS, prompt_name="query"), queries)
    assert close(model.encode(ODD_TEXTS, prompt_name="document", batch_size=2), passages)
    encode = run_block(blocks(out / "README.md")[1], out, monkeypatch)["encode"]
    assert close(encode(ODD_TEXTS, "query: ", PASSAGE_LIMIT), queries)
    assert close(encode(ODD_TEXTS, "passage: ", PASSAGE_LIMIT), passages)
    again = load_encoder(out)
    assert again.describe() == encoder.describe()
    assert close(again.encode(ODD_TEXTS, "query"), queries)


def test_an_export_in_the_cache_of_the_hub_is_a_baseline(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, commit = make_checkpoint(), "a" * 40
    export(checkpoint, tmp_path / "hub" / "models--org--name" / "snapshots" / commit, "name")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(MODEL_PINS, "org/name", commit)  # type: ignore[arg-type]
    encoder = load_checkpoint_encoder(checkpoint)
    baseline = SentenceTransformerEncoder("org/name", None, "query: ", "passage: ", device="cpu")
    for kind in ("query", "passage"):
        assert close(baseline.encode(ODD_TEXTS, kind), encoder.encode(ODD_TEXTS, kind))
    assert (baseline.describe()["revision"], baseline.describe()["query_prefix"]) == (commit, "query: ")
    with pytest.raises(ValueError, match="cannot reach the model nobody/nothing"):
        SentenceTransformerEncoder("nobody/nothing")


def test_the_examples_of_the_card_agree(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefixes = ('say "x"\\\n: ', "it's {{ y }}: ")
    export(make_checkpoint(prefixes=prefixes), tmp_path / "out", "out")
    first, second = (
        run_block(block, tmp_path / "out", monkeypatch) for block in blocks(tmp_path / "out" / "README.md")
    )
    assert close(first["queries"], second["queries"]) and close(first["passages"][:1], second["passages"])
    assert first["scores"].shape == (2, 2) and second["scores"].shape == (2, 1)


def test_one_limit_for_all_texts_is_the_longer_one(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    """Short texts are alike everywhere; a long query is cut off by this project alone where it was in training."""
    checkpoint = make_checkpoint(limits=(QUERY_LIMIT, PASSAGE_LIMIT))
    export(checkpoint, tmp_path / "out", "out")
    encoder, again = load_checkpoint_encoder(checkpoint), load_encoder(tmp_path / "out")
    assert again.tokenizer.max_lengths == {"query": QUERY_LIMIT, "passage": PASSAGE_LIMIT}
    model = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    assert model.max_seq_length == model.tokenizer.model_max_length == PASSAGE_LIMIT
    short, long = ["yen"], ["word " * 200]
    assert close(model.encode_query(short), encoder.encode(short, "query"))
    assert close(model.encode_document(long), encoder.encode(long, "passage"))
    assert close(again.encode(long, "query"), encoder.encode(long, "query"))
    assert not close(model.encode_query(long), encoder.encode(long, "query"))
    encoder.tokenizer.max_lengths["query"] = PASSAGE_LIMIT
    assert close(model.encode_query(long), encoder.encode(long, "query"))


def test_the_folder_holds_safetensors_and_text_alone(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(make_checkpoint(pooling="pooler"), out, "out")
    assert {path.suffix for path in out.rglob("*") if path.is_file()} == {".json", ".md", ".safetensors"}
    modules = json.loads((out / "modules.json").read_text())
    kinds = ("Transformer", "Pooling", "Dense", "Normalize")
    assert [module["type"] for module in modules] == [f"sentence_transformers.models.{kind}" for kind in kinds]
    config = json.loads((out / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast" and "local_files_only" not in config
    assert json.loads((out / "tokenizer.json").read_text())["truncation"] is None
    with safe_open(out / "2_Dense" / "model.safetensors", "pt") as file:
        assert sorted(file.keys()) == ["linear.bias", "linear.weight"]
    # Empty folders get lost on the way through git and the hub, which keep files alone.
    vectors = SentenceTransformer(str(out), device="cpu").encode_query(ODD_TEXTS)
    shutil.rmtree(out / "2_Normalize" if (out / "2_Normalize").exists() else out / "3_Normalize")
    assert np.array_equal(SentenceTransformer(str(out), device="cpu").encode_query(ODD_TEXTS), vectors)
