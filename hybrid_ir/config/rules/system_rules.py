"""Rules for programs that do not train: the configuration of `evaluate.py`, and the system of mining and indexing."""

from omegaconf import DictConfig

from hybrid_ir.config.names import check_names
from hybrid_ir.config.programs import EvalConfig, EvaluateConfig
from hybrid_ir.config.rules.common_rules import check_values, chosen
from hybrid_ir.config.validate import typed
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.vectors.encoder import FULL


def check_evaluate(cfg: DictConfig) -> None:
    """Check the configuration of an evaluation.

    Raises:
        ValueError: there is no benchmark, not exactly one system, or a value is missing or invalid.
    """
    check_values(cfg, EvaluateConfig, {}, "query_chunk")
    check_names(cfg)
    _check_run_file(cfg)
    if cfg.run is not None:
        return
    typed(cfg.eval, EvalConfig)
    if not cfg.eval.benchmarks:
        raise ValueError("no benchmark; choose with eval=xquad_r or eval=[xquad_r,mlqa_r]")
    check_system(cfg)
    if cfg.baseline is not None and cfg.eval.precision != FULL:
        raise ValueError(
            f"eval.precision={cfg.eval.precision} only applies to models of this project, and a baseline has its own "
            "precision; leave it out"
        )


def check_system(cfg: DictConfig) -> None:
    """Check that the configuration names exactly one system.

    Raises:
        ValueError: it names none or several. Says what to give or leave out.
    """
    typed(cfg.model, ModelConfig)
    if cfg.checkpoint is not None and "model" in chosen():
        raise ValueError("checkpoint holds its own encoder, but a model is given too; give one of them")
    if cfg.baseline is not None:
        if cfg.checkpoint is not None or "model" in chosen():
            raise ValueError("baseline takes the place of a model; give no checkpoint and no model with it")
    elif cfg.checkpoint is None and cfg.model.name_or_path is None:
        raise ValueError(
            "nothing to search with: give checkpoint=PATH, or a pretrained model with model=labse or "
            "model.name_or_path=DIR (a model from scratch has learned nothing before training)"
        )


def _check_run_file(cfg: DictConfig) -> None:
    if (cfg.run is None) != (cfg.qrels is None):
        raise ValueError("a run is scored with qrels; give both: run=FILE qrels=FILE")
    others = {"checkpoint", "model", "baseline", "eval"} & chosen()
    if cfg.run is not None and others:
        raise ValueError(f"run={cfg.run} is scored without a system; leave out {', '.join(sorted(others))}")
