"""Rules between configuration fields, checked before anything is read, downloaded or trained."""

import difflib
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.retrieval.measures import Measure


def check_train(cfg: DictConfig) -> None:
    """Refuse a training configuration that cannot work or would not mean what it says.

    Raises:
        ValueError: says which fields disagree and what to write instead.
    """
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ValueError(f"no value for {', '.join(missing)}; give one on the command line, such as {missing[0]}=...")
    if not cfg.data.corpora:
        raise ValueError(
            "no training corpus; choose one with data=cldr, data=squad_xtreme, ... or data=[a,b] for a mix"
        )
    _check_trainer(cfg)
    _check_zero_shot(cfg)
    _check_monitors(cfg)


def check_evaluate(cfg: DictConfig) -> None:
    """Refuse an evaluation configuration that cannot work.

    Raises:
        ValueError: nothing to evaluate on, or nothing or too much to evaluate.
    """
    _check_run_file(cfg)
    if cfg.run is not None:
        return
    if not cfg.eval.benchmarks:
        raise ValueError("no benchmark; choose with eval=xquad_r or eval=[xquad_r,mlqa_r]")
    if cfg.checkpoint is not None and "model" in _chosen():
        raise ValueError("checkpoint holds its own encoder, and model names another one; give one of them")
    if cfg.baseline is not None:
        missing = sorted(key for key in OmegaConf.missing_keys(cfg) if key.startswith("baseline."))
        if missing:
            raise ValueError(f"no value for {missing[0]}; give one on the command line")
        if cfg.checkpoint is not None or "model" in _chosen():
            raise ValueError("baseline takes the place of a model; give no checkpoint and no model with it")
    elif cfg.checkpoint is None and cfg.model.name_or_path is None:
        raise ValueError(
            "nothing to evaluate: give checkpoint=PATH, or a pretrained model with model=labse or "
            "model.name_or_path=DIR (a model from scratch has learned nothing before training)"
        )


def _check_run_file(cfg: DictConfig) -> None:
    if (cfg.run is None) != (cfg.qrels is None):
        raise ValueError("a run is judged by qrels: give both, run=FILE qrels=FILE")
    others = {"checkpoint", "model", "baseline", "eval"} & _chosen()
    if cfg.run is not None and others:
        raise ValueError(f"run={cfg.run} is judged by itself; leave out {', '.join(sorted(others))}")


def _check_trainer(cfg: DictConfig) -> None:
    if cfg.trainer.get("use_distributed_sampler", True):
        raise ValueError(
            "trainer.use_distributed_sampler must be false: Lightning would replace the batch plan by its own sampler"
        )
    devices = cfg.trainer.get("devices", 1)
    processes = (devices if isinstance(devices, int) else 1) * cfg.trainer.get("num_nodes", 1)
    if processes > 1 and cfg.data.batch_size % processes:
        raise ValueError(
            f"data.batch_size={cfg.data.batch_size} is the global batch; it must divide by the {processes} processes"
        )


def _check_zero_shot(cfg: DictConfig) -> None:
    """Zero-shot means that nothing of an evaluation set is trained on."""
    trained = {_place(corpus): name for name, corpus in cfg.data.corpora.items()}
    for name, benchmark in cfg.eval.benchmarks.items():
        place = _place(benchmark)
        if place and place in trained:
            raise ValueError(
                f"corpus {trained[place]} and benchmark {name} both read {place}: that is no zero-shot evaluation; "
                "train on one and evaluate on the other (eval=mlqa_r, eval=xquad_r)"
            )


def _place(source: DictConfig) -> Path | None:
    """The local file or folder that a corpus or benchmark reads."""
    place = source.get("path") if source.get("folder") is None else f"{source.root}/{source.folder}"
    return Path(place).resolve() if isinstance(place, str) else None


def _check_monitors(cfg: DictConfig) -> None:
    """The objective and every monitored metric must be one that the run logs."""
    monitors = {
        f"callbacks.{name}.monitor": callback.get("monitor")
        for name, callback in (cfg.callbacks or {}).items()
        if callback is not None
    }
    for key, metric in {"objective": cfg.objective, **monitors}.items():
        if metric is None or metric.startswith(("train/", "train_epoch/")):
            continue
        if metric.startswith("validation/"):
            if not cfg.data.holdout:
                raise ValueError(f"{key}={metric} needs a validation loss: hold examples out with data.holdout=1000")
            continue
        known = macro_metrics(cfg)
        if metric not in known:
            near = difflib.get_close_matches(metric, known, n=1, cutoff=0.0)
            hint = f"; did you mean {near[0]!r}?" if near else ": it has no benchmark"
            raise ValueError(f"{key}={metric} is not measured in this run{hint}")


def macro_metrics(cfg: DictConfig) -> list[str]:
    """Names of the macro averages that zero-shot evaluation logs."""
    return [
        f"{benchmark.name}/{measure}"
        if Measure.parse(measure).compares_languages
        else f"{benchmark.name}/{setting}/{measure}"
        for benchmark in cfg.eval.benchmarks.values()
        for setting, measures in cfg.eval.measures.items()
        for measure in measures
    ]


def _chosen() -> set[str]:
    """Groups and keys that the command line names."""
    if not HydraConfig.initialized():
        return set()
    return {override.lstrip("+~").split("=")[0].split(".")[0] for override in HydraConfig.get().overrides.task}
