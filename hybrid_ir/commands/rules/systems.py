"""Rules for what embeds or retrieves without training: evaluation, mining, indexes."""

from omegaconf import DictConfig, OmegaConf

from hybrid_ir.commands.schemas import CHOICES
from hybrid_ir.config.choices import check_choices
from hybrid_ir.config.names import check_names
from hybrid_ir.config.rules.bounds import check_at_least_one
from hybrid_ir.config.rules.given import check_missing, chosen
from hybrid_ir.config.secrets import check_no_secrets
from hybrid_ir.evaluation.vectors.bfloat16 import FULL
from hybrid_ir.sources.errors import language_fault


def check_evaluate(cfg: DictConfig) -> None:
    """Refuse an evaluation configuration that cannot work.

    Raises:
        ValueError: nothing to evaluate on, nothing or too much to evaluate, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_names(cfg)
    _check_run_file(cfg)
    check_choices(cfg, CHOICES)
    if cfg.run is not None:
        return
    OmegaConf.to_object(cfg.eval)
    if not cfg.eval.benchmarks:
        raise ValueError("no benchmark; choose with eval=xquad_r or eval=[xquad_r,mlqa_r]")
    check_at_least_one(cfg, "query_chunk")
    _check_system(cfg)
    if cfg.baseline is not None and cfg.eval.precision != FULL:
        raise ValueError(
            f"eval.precision={cfg.eval.precision} is for models of this project, and a baseline computes as it does by "
            "itself; leave it out"
        )


def check_mine(cfg: DictConfig) -> None:
    """Refuse a mining configuration that cannot work.

    Raises:
        ValueError: not one corpus, nothing or too much to search with, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_names(cfg)
    check_choices(cfg, CHOICES)
    if len(cfg.data.corpora) != 1:
        raise ValueError(
            f"negatives are mined for one corpus, and there are {len(cfg.data.corpora)}; choose one, such as "
            "data=squad_xtreme, and mine others on their own"
        )
    OmegaConf.to_object(cfg.mining)
    check_at_least_one(cfg, "query_chunk")
    _check_system(cfg)


def check_index(cfg: DictConfig) -> None:
    """Refuse a configuration of which no index can be made.

    Raises:
        ValueError: nothing or too much to encode with, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_choices(cfg, CHOICES)
    check_at_least_one(cfg, "block_size", "faiss.probes", "faiss.sample", "faiss.k")
    if cfg.language is not None and (fault := language_fault(cfg.language)):
        raise ValueError(f"language: {fault}")
    _check_system(cfg)


def _check_system(cfg: DictConfig) -> None:
    OmegaConf.to_object(cfg.model)
    if cfg.checkpoint is not None and "model" in chosen():
        raise ValueError("checkpoint holds its own encoder, and model names another one; give one of them")
    if cfg.baseline is not None:
        missing = sorted(key for key in OmegaConf.missing_keys(cfg) if key.startswith("baseline."))
        if missing:
            raise ValueError(f"no value for {missing[0]}; give one on the command line")
        if cfg.checkpoint is not None or "model" in chosen():
            raise ValueError("baseline takes the place of a model; give no checkpoint and no model with it")
    elif cfg.checkpoint is None and cfg.model.name_or_path is None:
        raise ValueError(
            "nothing to search with: give checkpoint=PATH, or a pretrained model with model=labse or "
            "model.name_or_path=DIR (a model from scratch has learned nothing before training)"
        )


def _check_run_file(cfg: DictConfig) -> None:
    if (cfg.run is None) != (cfg.qrels is None):
        raise ValueError("a run is judged by qrels: give both, run=FILE qrels=FILE")
    others = {"checkpoint", "model", "baseline", "eval"} & chosen()
    if cfg.run is not None and others:
        raise ValueError(f"run={cfg.run} is judged by itself; leave out {', '.join(sorted(others))}")
