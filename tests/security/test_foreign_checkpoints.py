"""Checkpoints of somebody else that a run resumes from: they run nothing, and nothing outside the run is removed."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from hybrid_ir.encoder.build import find_checkpoint, load_checkpoint_encoder
from hybrid_ir.launch.cli import explain
from hybrid_ir.launch.resuming import resume_point
from hybrid_ir.training.callbacks.checkpoint_io import AtomicCheckpointIO
from hybrid_ir.training.restored_paths import PATHS, keep_own_paths
from tests.security.conftest import SETTINGS, changed
from tests.training.conftest import Configure, Run


def test_a_checkpoint_names_no_code(checkpoint: Path, trained: tuple[Configure, Path], proof: Path) -> None:
    """`_target_` in its configuration and in that of its folder: nobody instantiates them. Kernels: nobody asks."""
    attack = {"_target_": "os.mkdir", "path": str(proof)}
    before = load_checkpoint_encoder(checkpoint).describe()

    def plant(content: dict[str, Any]) -> None:
        for group in ("model", "loss", "sampler", "eval", "callbacks", "trainer"):
            content["hyper_parameters"][group] = attack
        content["encoder_blueprint"]["backbone"] |= {
            "attn_implementation": "somebody/kernel", "_attn_implementation": "somebody/kernel", "_target_": "os.mkdir",
            "auto_map": {"AutoModel": "somebody/code--evil.Model", "AutoConfig": "somebody/code--evil.Config"},
        }  # fmt: skip

    changed(checkpoint, plant)
    run = checkpoint.parents[1]
    (run / "config.yaml").write_text(yaml.safe_dump({"model": attack, "loss": attack, "callbacks": {"x": attack}}))
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text(yaml.safe_dump({"model": attack}))
    encoder = load_checkpoint_encoder(find_checkpoint(run))
    assert "kernel" not in str(encoder.backbone.config._attn_implementation)
    assert encoder.describe()["weights"] == before["weights"]
    cfg = trained[0]("trainer.max_epochs=2", *SETTINGS)
    cfg.ckpt_path = str(checkpoint)
    with pytest.raises(ValueError, match="the checkpoint was trained with other values") as caught:
        resume_point(cfg)
    assert explain(caught.value) is not None
    assert not proof.exists()


NAMED = {  # what a crafted state names, VICTIM being a folder with a file in it
    "another_protocol": "local://VICTIM",
    "another_protocol_relative": "local://RELATIVE",
    "file_protocol": "file://VICTIM",
    "chained": "simplecache::file://VICTIM",
    "memory": "memory://VICTIM",
    "absolute": "VICTIM",
    "checkpoint_elsewhere": "VICTIM/kept.ckpt",
    "parents": "CHECKPOINTS/../../victim",
    "parents_to_checkpoint": "CHECKPOINTS/../../victim/kept.ckpt",
    "own_folder": "CHECKPOINTS",
    "inner_folder": "CHECKPOINTS/inner.ckpt",
}


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
def test_resuming_removes_nothing_but_the_own_outdated_checkpoints(
    trained: tuple[Configure, Path], tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure, source = trained
    shutil.copytree(source, tmp_path / "run")
    checkpoints, victim = tmp_path / "run" / "checkpoints", tmp_path / "victim"
    for folder in (victim, checkpoints / "inner.ckpt"):
        folder.mkdir()
        (folder / "kept.ckpt").write_text("kept")
    monkeypatch.chdir(tmp_path)
    named = named.replace("CHECKPOINTS", str(checkpoints)).replace("VICTIM", str(victim)).replace("RELATIVE", "victim")

    def plant(content: dict[str, Any]) -> None:
        (state,) = (state for state in content["callbacks"].values() if "kth_best_model_path" in state)
        worst = torch.tensor(-1.0)
        state |= dict.fromkeys(PATHS, named) | {"best_k_models": {named: worst}, "kth_value": worst}
        state["dirpath"] = str(checkpoints)

    changed(checkpoints / "last.ckpt", plant)
    cfg = configure("trainer.max_epochs=2", *SETTINGS)
    cfg.paths.run = str(tmp_path / "run")
    for callback in cfg.callbacks.values():
        callback.update({key: str(checkpoints) for key in ("dirpath", "folder") if key in callback})
    cfg.trainer.default_root_dir = str(tmp_path / "run")
    run = Run(cfg).fit(checkpoints / "last.ckpt")
    assert run.trainer.current_epoch == 2
    assert [path.name for path in victim.iterdir()] == ["kept.ckpt"]
    assert (checkpoints / "inner.ckpt" / "kept.ckpt").exists() and (checkpoints / "best.ckpt").is_file()
    restored = next(callback for callback in run.trainer.checkpoint_callbacks if hasattr(callback, "best_k_models"))
    assert {*restored.best_k_models, restored.best_model_path} == {str(checkpoints / "best.ckpt")}  # type: ignore[union-attr]


def own_state(folder: Path) -> dict[str, Any]:
    best, second = str(folder / "best.ckpt"), str(folder / "second.ckpt")
    return {
        "dirpath": str(folder), "best_model_path": best, "kth_best_model_path": second, "last_model_path": "",
        "best_k_models": {best: torch.tensor(0.5), second: torch.tensor(0.4)}, "kth_value": torch.tensor(0.4),
        "best_model_score": torch.tensor(0.5), "monitor": "x",
    }  # fmt: skip


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "best": lambda state: state.update(best_model_path="/etc/passwd"),
    "last": lambda state: state.update(last_model_path="s3://somebody/last.ckpt"),
    "members": lambda state: state["best_k_models"].update({"../x.ckpt": torch.tensor(1.0)}),
    "mistyped": lambda state: state.update(best_k_models=["a"]),
    "number": lambda state: state.update(best_model_path=7),
    "unlisted": lambda state: state.update(kth_best_model_path=state["dirpath"] + "/other.ckpt"),
    "nul": lambda state: state.update(best_model_path=state["dirpath"] + "/a\0.ckpt"),
    "folder": lambda state: state.update(dirpath="/"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_state_with_a_path_of_somebody_else_is_dropped(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    best, stopping = ModelCheckpoint(tmp_path, monitor="x", save_top_k=2), EarlyStopping("x")
    state = own_state(Path(str(best.dirpath)))
    kept: dict[str, Any] = {"callbacks": {best.state_key: dict(state), stopping.state_key: {"wait_count": 1}}}
    keep_own_paths(kept, [best, stopping])
    assert kept["callbacks"] == {best.state_key: state, stopping.state_key: {"wait_count": 1}}
    change(state)
    crafted: dict[str, Any] = {"callbacks": {best.state_key: state, stopping.state_key: {"log": {"/etc/passwd": 1}}}}
    keep_own_paths(crafted, [best, stopping])
    assert list(crafted["callbacks"]) == [best.state_key]
    left: Mapping[str, Any] = crafted["callbacks"][best.state_key]
    assert left["best_k_models"] == {} and left["dirpath"] is None and not any(left[key] for key in PATHS)


def test_only_a_regular_checkpoint_where_this_process_wrote_some_is_removed(tmp_path: Path) -> None:
    files, own, other = AtomicCheckpointIO(), tmp_path / "own", tmp_path / "other"
    other.mkdir()
    (other / "a.ckpt").write_text("kept")
    files.save_checkpoint({"x": 1}, own / "last.ckpt")
    (own / "old.ckpt").write_text("outdated")
    (own / "notes.txt").write_text("kept")
    (own / "folder.ckpt").mkdir()
    (own / "link.ckpt").symlink_to(other / "a.ckpt")
    (own / "linked").symlink_to(other)
    refused = (
        other / "a.ckpt", own / "notes.txt", own / "folder.ckpt", own / "link.ckpt", own / "linked" / "a.ckpt",
        own / ".." / "other" / "a.ckpt", own, f"local://{other}", f"file://{own}/old.ckpt", f"file://{other}/a.ckpt",
    )  # fmt: skip
    before = sorted(tmp_path.rglob("*"))
    for path in refused:
        files.remove_checkpoint(path)
    assert sorted(tmp_path.rglob("*")) == before
    files.remove_checkpoint(own / "old.ckpt")
    assert not (own / "old.ckpt").exists()
