"""From a configuration to the objects it names: the one place where the rooms meet."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lightning as L
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.callbacks.zero_shot import ZeroShotEvaluation
from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.datamodule import HybridDataModule
from hybrid_ir.model.build import ModelConfig, build_encoder
from hybrid_ir.model.encoder import TextEncoder
from hybrid_ir.model.module import DualEncoder
from hybrid_ir.reporting.history import RunHistory
from hybrid_ir.reporting.provenance import provenance
from hybrid_ir.retrieval.benchmark import Benchmark
from hybrid_ir.retrieval.streamed import StreamedBenchmark


def plain(cfg: DictConfig) -> Any:
    """A configuration node as plain containers, interpolations resolved."""
    return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)


def build_corpora(cfg: DictConfig) -> list[ParallelCorpus]:
    """Read, or find already built, every training corpus."""
    return [instantiate(reader) for reader in cfg.data.corpora.values()]


def build_benchmarks(cfg: DictConfig) -> list[Benchmark | StreamedBenchmark]:
    """Load every evaluation set."""
    return [instantiate(loader, _convert_="all") for loader in cfg.eval.benchmarks.values()]


def build_model(cfg: DictConfig, corpora: Iterable[ParallelCorpus] = ()) -> TextEncoder:
    """The encoder of the configuration; `corpora` give an encoder from scratch its vocabulary."""
    config: ModelConfig = OmegaConf.to_object(cfg.model)  # type: ignore[assignment]
    return build_encoder(config, lambda: (text for corpus in corpora for text in corpus.texts()), Path(cfg.paths.cache))


def build_datamodule(cfg: DictConfig, corpora: list[ParallelCorpus], encoder: TextEncoder) -> HybridDataModule:
    """Batches of the corpora under the configured policy."""
    return HybridDataModule(
        corpora,
        policy=instantiate(cfg.sampler),
        tokenize=encoder.tokenizer,
        config=OmegaConf.to_object(cfg.data),  # type: ignore[arg-type]
        seed=cfg.seed,
    )


def build_module(cfg: DictConfig, encoder: TextEncoder, datamodule: HybridDataModule) -> DualEncoder:
    """The LightningModule that trains the encoder."""
    return DualEncoder(
        encoder,
        loss=instantiate(cfg.loss),
        optimizer=OmegaConf.to_object(cfg.optim),  # type: ignore[arg-type]
        kinds=list(datamodule.policy.probabilities),
        languages=datamodule.languages,
        seed=cfg.seed,
        gradient_cache=cfg.model.gradient_cache,
        config=plain(cfg),
    )


def build_history(cfg: DictConfig, corpora: Sequence[ParallelCorpus] = ()) -> RunHistory:
    """The run's folder, with its configuration in it, and what the training corpora hold."""
    contents = {
        corpus.name: {"languages": list(corpus.languages), "examples": len(corpus), "remarks": list(corpus.remarks)}
        for corpus in corpora
    }
    return RunHistory(Path(cfg.paths.run), provenance() | {"config": plain(cfg), "corpora": contents})


def build_trainer(
    cfg: DictConfig, benchmarks: Sequence[Benchmark | StreamedBenchmark], history: RunHistory
) -> L.Trainer:
    """The Trainer with zero-shot evaluation, the configured callbacks and loggers."""
    loggers: list[Logger] = [instantiate(logger) for logger in (cfg.logger or {}).values()]
    zero_shot = ZeroShotEvaluation(
        benchmarks,
        history,
        measures=plain(cfg.eval.measures),
        every_n_epochs=cfg.eval.every_n_epochs,
        at_start=cfg.eval.at_start,
        save_runs=cfg.eval.save_runs,
    )
    callbacks = [zero_shot, *(instantiate(callback) for callback in (cfg.callbacks or {}).values())]
    trainer: L.Trainer = instantiate(cfg.trainer, callbacks=callbacks, logger=loggers or False)
    return trainer
