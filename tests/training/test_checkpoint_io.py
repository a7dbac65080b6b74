"""Checkpoint files are whole, and hold no code."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from hybrid_ir.sources.atomic import remove_drafts, replacing
from hybrid_ir.training.callbacks.checkpoint_io import AtomicCheckpointIO


def full_disk(after: int) -> Any:
    """A stand-in for `torch.save` whose disk is full after some bytes."""

    def save(checkpoint: Any, file: Any) -> None:
        file.write(b"x" * after)
        raise OSError(28, "No space left on device")

    return save


@pytest.mark.parametrize("after", [0, 10, 1_000_000])
def test_failed_write_keeps_the_file_before(tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    files, path = AtomicCheckpointIO(), tmp_path / "last.ckpt"
    files.save_checkpoint({"step": 1}, path)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full_disk(after))
        files.save_checkpoint({"step": 2}, path)
    assert files.failed == {path: "No space left on device"}
    assert files.load_checkpoint(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
    files.save_checkpoint({"step": 3}, path)
    assert files.failed == {} and files.load_checkpoint(path) == {"step": 3}


def test_other_faults_are_raised(tmp_path: Path) -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        AtomicCheckpointIO().save_checkpoint({"function": lambda: None}, tmp_path / "last.ckpt")
    assert not list(tmp_path.iterdir())


def test_code_is_not_loaded(tmp_path: Path) -> None:
    torch.save({"path": Path("x")}, tmp_path / "other.ckpt")
    with pytest.raises(pickle.UnpicklingError):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "other.ckpt", weights_only=False)


def test_drafts_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """A kill ends the process inside the block, where nothing is cleaned up."""
    kept = tmp_path / "last.ckpt"
    with replacing(kept) as draft:
        draft.write_text("whole")
    block = replacing(kept, durable=True)
    block.__enter__().write_text("half")
    remove_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == [kept] and kept.read_text() == "whole"
