"""Train a dual encoder on hybrid batches, and evaluate it zero-shot before, during and after training.

  python train.py experiment=quickstart                offline, on a laptop, in minutes
  python train.py model=labse sampler=hybrid           the paper's method, SQuAD in 11 languages
  python train.py -m sampler.alpha=0,0.5,1 seed=1,2    one run for each combination: docs/sweeps.md
  python train.py ckpt_path=last                       resume the newest run of this name

eval=miracl only works with evaluate.py: its corpora are too large to encode after every epoch.
"""

import hydra
import lightning as L
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.resuming import check_evaluated, resume_point
from hybrid_ir.launch.sweep_job import sweep_job
from hybrid_ir.training.callbacks.observer import close_loggers


@entry_point
@hydra.main(config_path="conf", config_name="train", version_base="1.3")
@sweep_job
def main(cfg: DictConfig) -> float | None:
    """Returns the value of `optimized_metric`, for sweeps to optimise."""
    check_train(cfg)
    history, point = assembly.build_history(cfg), resume_point(cfg)
    if point and point.finished:
        check_evaluated(cfg, history, point)
        rank_zero_only(print)(f"nothing to do in {cfg.paths.run}: {point.finished}")
        return assembly.optimized_value(cfg, history)
    L.seed_everything(cfg.seed, workers=True, verbose=False)

    # A backbone that cannot work is refused before data are read; one from scratch learns its vocabulary from them.
    encoder = None if cfg.model.scratch else assembly.build_model(cfg)
    benchmarks = assembly.build_benchmarks(cfg)
    corpora = assembly.guard_corpora(cfg, assembly.build_corpora(cfg), benchmarks, history)
    validation = assembly.build_validation(cfg)
    encoder = encoder or assembly.build_model(cfg, corpora)
    history.provenance["corpora"] = assembly.corpora_facts(corpora)
    if validation is not None:
        history.provenance["validation"] = assembly.corpora_facts(validation.corpora)
    teacher = assembly.build_teacher(cfg)
    datamodule = assembly.build_datamodule(cfg, corpora, encoder, teacher, validation)
    module = assembly.build_module(cfg, encoder, datamodule, teacher)
    trainer = assembly.build_trainer(cfg, benchmarks, history)
    try:
        trainer.fit(module, datamodule, ckpt_path=point.path if point else None, weights_only=True)
    finally:
        close_loggers(trainer)
    rank_zero_only(history.add_training)(trainer.global_step, trainer.callback_metrics)
    return assembly.optimized_value(cfg, history)


if __name__ == "__main__":
    main()
