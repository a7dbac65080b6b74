"""Train a dual encoder on hybrid batches and judge it zero-shot: `python train.py model=labse sampler=hybrid`."""

from pathlib import Path

import hydra
import lightning as L
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.cli import entry_point
from hybrid_ir.config.rules import check_resume, check_train
from hybrid_ir.model.build import find_checkpoint, read_checkpoint
from hybrid_ir.reporting.loggers import close_loggers


@entry_point
@hydra.main(config_path="conf", config_name="train", version_base="1.3")
def main(cfg: DictConfig) -> float | None:
    """Returns the metric named by `objective`, for sweeps to optimise."""
    check_train(cfg)
    run, checkpoint = Path(cfg.paths.run), None
    if cfg.ckpt_path:
        checkpoint = find_checkpoint(run if cfg.ckpt_path == "last" else Path(cfg.ckpt_path))
        check_resume(cfg, read_checkpoint(checkpoint)["hyper_parameters"])
    L.seed_everything(cfg.seed, workers=True, verbose=False)

    benchmarks = assembly.build_benchmarks(cfg)
    corpora = assembly.build_corpora(cfg)
    encoder = assembly.build_model(cfg, corpora)
    datamodule = assembly.build_datamodule(cfg, corpora, encoder)
    module = assembly.build_module(cfg, encoder, datamodule)
    history = assembly.build_history(cfg, corpora)
    trainer = assembly.build_trainer(cfg, benchmarks, history)
    try:
        trainer.fit(module, datamodule, ckpt_path=checkpoint)
    finally:
        close_loggers(trainer)
    return history.newest().get(cfg.objective) if cfg.objective else None


if __name__ == "__main__":
    main()
