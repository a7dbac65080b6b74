"""Measures the time to write a checkpoint, and the time of a resumed run to its first step.

python -m benchmarks.resume model=tiny data=cldr
"""

import platform
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning as L
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.launch.resuming import resume_point
from tests.compose import compose_config

STEPS, REPEATS = 2, 5
FIXED = ["eval=[]", "logger=none", "callbacks=checkpoints", "trainer.enable_progress_bar=false"]


class SaveRepeatedly(L.Callback):
    """Writes checkpoints after the last step and keeps the fastest time of each method, in seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds: dict[str, float] = {}

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_step < STEPS:
            return
        ours = trainer.strategy.checkpoint_io
        for name, way in (("ours", ours), ("Lightning's", TorchCheckpointIO())):
            trainer.strategy.checkpoint_io = way
            times = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                trainer.save_checkpoint(self.folder / "timed.ckpt")
                times.append(time.perf_counter() - start)
            self.seconds[name] = min(times)
        trainer.strategy.checkpoint_io = ours


class FirstStep(L.Callback):
    """Records the time at which the first training step begins."""

    started: float | None = None

    def on_train_batch_start(self, *_: Any) -> None:
        self.started = self.started or time.perf_counter()


def fit(cfg: DictConfig, callback: L.Callback, checkpoint: Path | None = None) -> None:
    L.seed_everything(cfg.seed, verbose=False)
    corpora = assembly.build_corpora(cfg)
    encoder = assembly.build_model(cfg, corpora)
    datamodule = assembly.build_datamodule(cfg, corpora, encoder)
    module = assembly.build_module(cfg, encoder, datamodule)
    trainer = assembly.build_trainer(cfg, [], assembly.build_history(cfg))
    trainer.callbacks.insert(0, callback)
    trainer.fit(module, datamodule, ckpt_path=checkpoint)


def main() -> None:
    overrides = [*FIXED, *sys.argv[1:]]
    with TemporaryDirectory() as name:
        folder = Path(name)
        saves, first = SaveRepeatedly(folder), FirstStep()
        fit(compose_config("train", [*overrides, f"trainer.max_steps={STEPS}"], folder), saves)
        size = (folder / "timed.ckpt").stat().st_size
        print(f"{platform.processor() or platform.machine()}: {' '.join(sys.argv[1:])}")
        print(f"a checkpoint: {size / 1e6:.1f} MB; " + ", ".join(f"{k} {v:.3f} s" for k, v in saves.seconds.items()))
        start = time.perf_counter()
        cfg = compose_config("train", [*overrides, f"trainer.max_steps={STEPS + 1}", "ckpt_path=last"], folder)
        point = resume_point(cfg)
        assert point is not None
        checked = time.perf_counter()
        fit(cfg, first, point.path)
        assert first.started is not None
        print(
            f"resuming: {checked - start:.2f} s to find and check it, {first.started - checked:.2f} s to the first step"
        )


if __name__ == "__main__":
    main()
