"""Rules of a training run's configuration, checked before anything is read, downloaded or trained."""

from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from hybrid_ir.config.names import check_names
from hybrid_ir.config.processes import check_launch
from hybrid_ir.config.programs import DataConfig, EvalConfig, TrainConfig
from hybrid_ir.config.rules.common_rules import check_values
from hybrid_ir.config.rules.metric_rules import check_measures, check_monitors
from hybrid_ir.config.validate import typed
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.sampling.schedule import RUN_LENGTH, RunLength
from hybrid_ir.sampling.translations import Translations
from hybrid_ir.training.optimizer import OptimizerConfig

GROUPS = {"data": DataConfig, "model": ModelConfig, "optim": OptimizerConfig, "eval": EvalConfig}


def check_train(cfg: DictConfig) -> None:
    """Check the configuration of a training run.

    Raises:
        ValueError: a value is invalid, or fields contradict each other. Names them, and says what to write instead.
    """
    check_values(cfg, TrainConfig)
    check_names(cfg)
    if not cfg.data.corpora:
        raise ValueError(
            "no training corpus; choose one with data=cldr, data=squad_xtreme, ... or data=[a,b] for a mix"
        )
    for group, kind in GROUPS.items():
        typed(cfg[group], kind)  # the classes check their own values
    typed(cfg.data, DataConfig).check_corpora([corpus.get("name", key) for key, corpus in cfg.data.corpora.items()])
    instantiate(cfg.sampler)
    _check_validation(cfg)
    loss = instantiate(cfg.loss)
    _check_teacher(cfg, loss.needs_teacher)
    _check_translations(cfg, loss.translations)
    if loss.needs_negatives and not cfg.data.negatives:
        raise ValueError(
            "loss.negatives=hard compares a question with hard negatives alone, and data.negatives=0 gives it none; "
            "set data.negatives=1"
        )
    _check_trainer(cfg)
    check_launch(cfg)
    _check_zero_shot(cfg)
    check_measures(cfg)
    check_monitors(cfg)


def _check_validation(cfg: DictConfig) -> None:
    corpora = cfg.data.validation.corpora
    if corpora and cfg.data.holdout:
        raise ValueError(
            f"data.holdout={cfg.data.holdout} and data/validation=[{','.join(corpora)}] both name the examples of the "
            "validation loss; give one of them"
        )
    if cfg.data.validation.sampler is not None:
        if not corpora:
            raise ValueError("data.validation.sampler has no corpus; choose one with data/validation=squadshifts")
        instantiate(cfg.data.validation.sampler)


def _check_teacher(cfg: DictConfig, needed: bool) -> None:
    given = [name for name in ("checkpoint", "model") if cfg.teacher[name] is not None]
    if len(given) > 1:
        raise ValueError("both teacher.checkpoint and teacher.model are given; give one of them")
    if needed and not given:
        raise ValueError(
            "this loss needs a teacher; give teacher.checkpoint=PATH, or a pretrained model with "
            "model@teacher.model=labse"
        )
    if given and not needed:
        raise ValueError(f"teacher.{given[0]} is given, but this loss has no teacher; choose loss=distillation")
    if given == ["model"]:
        typed(cfg.teacher.model, ModelConfig)
        if cfg.teacher.model.name_or_path is None:
            raise ValueError("teacher.model is a model from scratch, which is untrained; give teacher.checkpoint")


def _check_translations(cfg: DictConfig, wanted: Translations) -> None:
    """Check that the chosen languages allow translations. Whether the corpora have them is checked with the plan."""
    for key, languages in (("data.languages", cfg.data.languages), ("sampler.languages", cfg.sampler.get("languages"))):
        if wanted and languages is not None and len(languages) < 2:
            raise ValueError(
                f"this loss compares translations, but {key}={list(languages)} has only one language; add another, or "
                "choose loss=infonce"
            )


def _check_trainer(cfg: DictConfig) -> None:
    if cfg.trainer.get("use_distributed_sampler", True):
        raise ValueError(
            "trainer.use_distributed_sampler must be false, or Lightning replaces the batch plan with its own sampler"
        )
    if cfg.trainer.get("gradient_clip_algorithm") not in (None, "norm"):
        raise ValueError("trainer.gradient_clip_algorithm must be norm; gradients are clipped by their global norm")
    if cfg.trainer.get("overfit_batches"):
        raise ValueError(
            "trainer.overfit_batches would replace the batch plan; use debug=overfit or trainer.limit_train_batches"
        )
    if run_length(cfg).batches(per_epoch=1) is None:
        raise ValueError(
            f"training has no end: trainer.max_epochs={cfg.trainer.get('max_epochs')} and trainer.max_steps="
            f"{cfg.trainer.get('max_steps')}. Set one of them: the learning rate's schedule runs over the planned "
            "steps. Early stopping and trainer.max_time may end training before"
        )
    precision, accelerator = cfg.trainer.get("precision", "32-true"), cfg.trainer.get("accelerator", "auto")
    if precision == "16-mixed" and (accelerator == "cpu" or not torch.accelerator.is_available()):
        raise ValueError(
            "trainer.precision=16-mixed needs a GPU (Lightning would train in bf16 instead); on a CPU use 32-true or "
            "bf16-mixed"
        )
    if str(cfg.model.attention).startswith("flash_attention") and precision == "32-true":
        raise ValueError(
            f"model.attention={cfg.model.attention} computes in half precision; use trainer.precision=bf16-mixed or "
            "model.attention=sdpa"
        )
    if precision in ("16-true", "bf16-true"):
        raise ValueError(
            f"trainer.precision={precision} stores the weights in half precision, which rounds away updates at "
            "usual learning rates; use bf16-mixed"
        )


def run_length(cfg: DictConfig) -> RunLength:
    """The planned length of training."""
    return RunLength(**{key: cfg.trainer[key] for key in RUN_LENGTH if cfg.trainer.get(key) is not None})


def _check_zero_shot(cfg: DictConfig) -> None:
    """Check that no corpus and benchmark read the same files, since then the evaluation is not zero-shot."""
    trained = {path: name for name, corpus in cfg.data.corpora.items() for path in _paths_read(corpus)}
    for name, benchmark in cfg.eval.benchmarks.items():
        for path in _paths_read(benchmark) & trained.keys():
            corpus, key = cfg.data.corpora[trained[path]], f"data.corpora.{trained[path]}"
            if not _apart(corpus, benchmark):
                raise ValueError(
                    f"corpus {trained[path]} and benchmark {name} both read {path}, which is not zero-shot; "
                    "train on one and evaluate on the other (eval=mlqa_r, eval=xquad_r), or on held-out "
                    f"articles ({key}.part=train eval.benchmarks.{name}.part=held_out)"
                )
            if isinstance(corpus.get("path"), DictConfig):
                raise ValueError(
                    f"{key}.path names single files of {path}, but all its languages decide which articles are held "
                    f"out: corpus {trained[path]} and benchmark {name} would share articles. Give the folder and the "
                    f"languages: {key}.path={path} {key}.languages=[{','.join(corpus.path)}]"
                )


def _apart(corpus: DictConfig, benchmark: DictConfig) -> bool:
    """Whether the two read disjoint parts of one set of articles, see `hybrid_ir.sources.formats.parts`."""
    parts = corpus.get("part"), benchmark.get("part")
    return parts == ("train", "held_out") and benchmark.held_out <= corpus.held_out


def _paths_read(source: DictConfig) -> set[Path]:
    """The local folders (or single files) that a corpus or benchmark reads."""
    if source.get("folder") is not None:
        return {Path(f"{source.root}/{source.folder}").resolve()}
    path = source.get("path")
    if isinstance(path, DictConfig):  # language -> file
        return {Path(file).resolve().parent for file in path.values()}
    return set() if path is None else {Path(path).resolve()}
