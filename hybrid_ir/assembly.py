"""Builds the objects that a configuration names; the only module that combines all parts of the package."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import lightning as L
import torch
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.programs import DataConfig
from hybrid_ir.config.rules.common_rules import given_fields
from hybrid_ir.config.rules.train_rules import run_length
from hybrid_ir.config.validate import typed
from hybrid_ir.data.corpus import ParallelCorpus, Side
from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.loading.published import USAGE, as_published, load_encoder
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.encoder.teacher import Teacher
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet
from hybrid_ir.evaluation.benchmarks.subset import subset
from hybrid_ir.evaluation.results.history import RunHistory
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.leakage.guard import REPORT, guard
from hybrid_ir.training.callbacks.subset_evaluation import SubsetEvaluation
from hybrid_ir.training.callbacks.zero_shot import ZeroShotEvaluation
from hybrid_ir.training.data.datamodule import HybridDataModule
from hybrid_ir.training.data.share_table import share_lines
from hybrid_ir.training.data.validation_set import ValidationSet
from hybrid_ir.training.module import DualEncoder
from hybrid_ir.training.optimizer import OptimizerConfig

log = logging.getLogger(__name__)


def plain(cfg: DictConfig) -> Any:
    """A configuration node as plain containers with resolved interpolations."""
    return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)


def build_corpora(cfg: DictConfig) -> list[ParallelCorpus]:
    """Open all training corpora, building those that do not exist yet."""
    return [instantiate(reader) for reader in cfg.data.corpora.values()]


def build_validation(cfg: DictConfig) -> ValidationSet | None:
    """Open the corpora of the validation loss, if the configuration names any."""
    corpora = [instantiate(reader) for reader in cfg.data.validation.corpora.values()]
    if not corpora:
        return None
    policy = instantiate(cfg.data.validation.sampler)
    return ValidationSet(corpora) if policy is None else ValidationSet(corpora, policy)


def guard_corpora(
    cfg: DictConfig,
    corpora: Sequence[ParallelCorpus],
    benchmarks: Sequence[EvaluationSet],
    history: RunHistory,
) -> list[ParallelCorpus]:
    """The corpora after the leakage guard. Its findings are added to the run's provenance."""
    policies: dict[Side, str] = {"question": cfg.data.on_leakage, "passage": cfg.data.on_shared_passages}
    guarded = guard(corpora, benchmarks, policies, cfg.paths.cache, history.run / REPORT)
    history.provenance["leakage"] = guarded.summary
    return guarded.corpora


def build_benchmarks(cfg: DictConfig) -> list[EvaluationSet]:
    """Load all evaluation sets."""
    return [instantiate(loader, _convert_="all") for loader in cfg.eval.benchmarks.values()]


def build_model(cfg: DictConfig, corpora: Iterable[ParallelCorpus] = ()) -> TextEncoder:
    """Build the configured encoder; an encoder from scratch learns its vocabulary from `corpora`."""
    config = typed(cfg.model, ModelConfig)
    return build_encoder(config, lambda: (text for corpus in corpora for text in corpus.texts()), Path(cfg.paths.cache))


def build_system(cfg: DictConfig, device: torch.device) -> Any:
    """Build the system to evaluate on `device`: a baseline, the encoder of a checkpoint or export, or the model.

    A baseline that configures its own device uses that one. A model given by `model.name_or_path` instead of
    `model=NAME` is used as its own files say (pooling, prefixes, ...), unless the command line says otherwise, and
    `cfg.model` is updated accordingly.
    """
    if cfg.baseline:
        undecided = "device" in cfg.baseline and cfg.baseline.device is None
        return instantiate(cfg.baseline, **({"device": str(device)} if undecided else {}))
    if cfg.checkpoint:
        return load_encoder(Path(cfg.checkpoint)).to(device)
    given = given_fields("model")
    if given is not None and "name_or_path" in given:
        cfg.model = asdict(as_published(typed(cfg.model, ModelConfig), given))
        log.info("%s is used as %s", cfg.model.name_or_path, {key: cfg.model[key] for key in USAGE})
    return build_model(cfg).to(device)


def choose_device(name: str) -> torch.device:
    """The device `name`; `auto` is a GPU if there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def build_teacher(cfg: DictConfig) -> Teacher | None:
    """The frozen teacher, if the configuration names one."""
    if cfg.teacher.checkpoint is not None:
        return Teacher(load_encoder(Path(cfg.teacher.checkpoint)))
    if cfg.teacher.model is not None:
        return Teacher(build_encoder(typed(cfg.teacher.model, ModelConfig), tuple, Path(cfg.paths.cache)))
    return None


def build_datamodule(
    cfg: DictConfig,
    corpora: list[ParallelCorpus],
    encoder: TextEncoder | None,
    teacher: Teacher | None = None,
    validation: ValidationSet | None = None,
) -> HybridDataModule:
    """The DataModule with batches of the corpora under the configured policy; without an encoder, it can only plan."""
    loss = instantiate(cfg.loss)
    datamodule = HybridDataModule(
        corpora,
        policy=instantiate(cfg.sampler),
        tokenize=_no_tokens if encoder is None else encoder.tokenizer,
        config=typed(cfg.data, DataConfig),
        seed=cfg.seed,
        teacher_tokenize=None if teacher is None else teacher.tokenizer,
        length=run_length(cfg),
        changes=list(cfg.resume_changes),
        translations=loss.translations,
        needs_negatives=loss.needs_negatives,
        validation=validation,
    )
    if len(corpora) > 1 or len(datamodule.languages) > 1:
        lines = "\n".join(share_lines(datamodule.plan))
        rank_zero_only(log.info)("expected shares of batches, in per cent:\n%s", lines)
    return datamodule


def _no_tokens(*_: Any) -> NoReturn:
    raise AssertionError("a DataModule without an encoder only plans")


def build_module(
    cfg: DictConfig, encoder: TextEncoder, datamodule: HybridDataModule, teacher: Teacher | None = None
) -> DualEncoder:
    """The LightningModule that trains the encoder."""
    return DualEncoder(
        encoder,
        loss=instantiate(cfg.loss),
        optimizer=typed(cfg.optim, OptimizerConfig),
        kinds=list(datamodule.policy.kinds),
        languages=datamodule.languages,
        seed=cfg.seed,
        gradient_cache=cfg.model.gradient_cache,
        config=plain(cfg),
        teacher=teacher,
    )


def build_history(cfg: DictConfig) -> RunHistory:
    """Open the run's folder, and write the configuration into it."""
    return RunHistory(Path(cfg.paths.run), provenance() | {"config": plain(cfg)})


def corpora_facts(corpora: Iterable[ParallelCorpus]) -> dict[str, dict[str, Any]]:
    """Name -> facts about a training corpus, for a run's provenance."""
    return {
        corpus.name: {"languages": list(corpus.languages), "examples": len(corpus), "notes": list(corpus.notes)}
        for corpus in corpora
    }


def build_trainer(cfg: DictConfig, benchmarks: Sequence[EvaluationSet], history: RunHistory) -> L.Trainer:
    """The Trainer, with zero-shot evaluation and the configured callbacks and loggers."""
    loggers: list[Logger] = [instantiate(logger) for logger in (cfg.logger or {}).values()]
    zero_shot = ZeroShotEvaluation(
        benchmarks,
        history,
        measures=plain(cfg.eval.measures),
        every_n_epochs=cfg.eval.every_n_epochs,
        at_start=cfg.eval.at_start,
        save_runs=cfg.eval.save_runs,
        precision=cfg.eval.precision,
    )
    callbacks: list[L.Callback] = [zero_shot, *_on_subsets(cfg, zero_shot.benchmarks, history)]
    callbacks += [instantiate(callback) for callback in (cfg.callbacks or {}).values()]
    trainer: L.Trainer = instantiate(cfg.trainer, callbacks=callbacks, logger=loggers or False)
    return trainer


def optimized_value(cfg: DictConfig, history: RunHistory) -> float | None:
    """The newest value of `optimized_metric`, from an evaluation or from training; None if none is configured."""
    return None if cfg.optimized_metric is None else history.metrics().get(cfg.optimized_metric)


def _on_subsets(cfg: DictConfig, benchmarks: Sequence[Benchmark], history: RunHistory) -> list[L.Callback]:
    if cfg.eval.every_n_steps is None:
        return []
    parts = [subset(benchmark, **cfg.eval.subset) for benchmark in benchmarks]
    return [SubsetEvaluation(parts, history, plain(cfg.eval.measures), cfg.eval.every_n_steps, cfg.eval.precision)]
