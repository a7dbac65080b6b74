"""Where an export may be written, and what an export that fails leaves."""

from pathlib import Path

import pytest
import torch

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.export import export_folder as folder
from hybrid_ir.export.export_folder import check_target, export, write_layout
from tests.export.conftest import MakeCheckpoint


def test_a_folder_with_other_files_is_never_replaced(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    checkpoint, out = make_checkpoint(), tmp_path / "out"
    out.mkdir()
    export(checkpoint, out, "out")  # an empty one is
    with pytest.raises(ValueError, match=r"holds an export; .* replace it with overwrite=true"):
        export(checkpoint, out, "out")
    (out / "onnx").mkdir()
    export(checkpoint, out, "out", overwrite=True)
    assert not (out / "onnx").exists()
    (out / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"holds notes.txt, which no export wrote"):
        export(checkpoint, out, "out", overwrite=True)
    (out / "notes.txt").unlink()
    (out / "hybrid_ir.json").write_text("[]")
    for _ in range(2):  # with a list of its files that is damaged, then without one
        with pytest.raises(ValueError, match=r"holds .*, which no export wrote"):
            export(checkpoint, out, "out", overwrite=True)
        (out / "hybrid_ir.json").unlink(missing_ok=True)
    with pytest.raises(ValueError, match="is a file; name a folder"):
        check_target(checkpoint, True)


def test_an_export_that_fails_leaves_nothing(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = make_checkpoint()

    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(folder, "model_card", full_disk)
    with pytest.raises(OSError, match="No space left"):
        export(checkpoint, tmp_path / "out", "out")
    assert list(tmp_path.glob("*out*")) + list(tmp_path.glob(".*")) == []


def test_a_folder_that_gives_other_vectors_is_not_left(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = folder.write_layout

    def wrong(draft: Path, encoder: TextEncoder) -> None:
        write(draft, encoder)
        settings = draft / "config_sentence_transformers.json"
        settings.write_text(settings.read_text().replace("passage: ", "passages: "))

    monkeypatch.setattr(folder, "write_layout", wrong)
    with pytest.raises(AssertionError, match=r"off by .* for a passage"):
        export(make_checkpoint(), tmp_path / "out", "out")
    assert not (tmp_path / "out").exists()


def test_a_pooler_without_a_word_for_it_is_refused(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    encoder = load_checkpoint_encoder(make_checkpoint(pooling="pooler"))
    encoder.backbone.pooler.activation = torch.nn.GELU()
    with pytest.raises(ValueError, match=r"the pooler of a BertModel is not tanh.* model.pooling=mean or cls"):
        write_layout(tmp_path, encoder)


def test_checkpoints_are_read_without_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"global_step": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(ValueError, match="is damaged, or not a checkpoint"):
        export(tmp_path / "evil.ckpt", tmp_path / "out", "out")
    assert not (tmp_path / "ran").exists()
