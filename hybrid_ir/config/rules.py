"""Rules between configuration fields, checked before anything is read, downloaded or trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.choices import check_choices
from hybrid_ir.config.launch import check_launch
from hybrid_ir.config.names import check_names
from hybrid_ir.config.secrets import check_no_secrets
from hybrid_ir.nearest import nearest
from hybrid_ir.retrieval.benchmark import SETTINGS
from hybrid_ir.retrieval.measures import Measure
from hybrid_ir.retrieval.subset import SUFFIX
from hybrid_ir.sampling.horizon import RunLength
from hybrid_ir.sampling.translations import Translations
from hybrid_ir.search.config import OWN
from hybrid_ir.sources.text import language_fault, text_fault

_TRAINING = ("train", "train_epoch", "validation")  # what metrics of training itself begin with
RUN_LENGTH = ("max_epochs", "max_steps", "limit_train_batches", "accumulate_grad_batches")  # of the trainer


def check_train(cfg: DictConfig) -> None:
    """Refuse a training configuration that cannot work or would not mean what it says.

    Raises:
        ValueError: says which fields disagree and what to write instead.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_names(cfg)
    if not cfg.data.corpora:
        raise ValueError(
            "no training corpus; choose one with data=cldr, data=squad_xtreme, ... or data=[a,b] for a mix"
        )
    check_choices(cfg)
    for group in ("data", "model", "optim", "eval"):
        OmegaConf.to_object(cfg[group])  # the schemas check their own values
    instantiate(cfg.sampler)
    loss = instantiate(cfg.loss)
    _check_teacher(cfg, loss.needs_teacher)
    _check_translations(cfg, loss.translations)
    _check_trainer(cfg)
    check_launch(cfg)
    _check_schedule(cfg)
    _check_zero_shot(cfg)
    _check_measures(cfg)
    _check_monitors(cfg)


def check_evaluate(cfg: DictConfig) -> None:
    """Refuse an evaluation configuration that cannot work.

    Raises:
        ValueError: nothing to evaluate on, nothing or too much to evaluate, or a value is missing.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_names(cfg)
    _check_run_file(cfg)
    check_choices(cfg)
    if cfg.run is not None:
        return
    OmegaConf.to_object(cfg.eval)
    if not cfg.eval.benchmarks:
        raise ValueError("no benchmark; choose with eval=xquad_r or eval=[xquad_r,mlqa_r]")
    _check_system(cfg)


def check_mine(cfg: DictConfig) -> None:
    """Refuse a mining configuration that cannot work.

    Raises:
        ValueError: not one corpus, nothing or too much to search with, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_names(cfg)
    check_choices(cfg)
    if len(cfg.data.corpora) != 1:
        raise ValueError(
            f"negatives are mined for one corpus, and there are {len(cfg.data.corpora)}; choose one, such as "
            "data=squad_xtreme, and mine others on their own"
        )
    OmegaConf.to_object(cfg.mining)
    _check_system(cfg)


def check_index(cfg: DictConfig) -> None:
    """Refuse a configuration of which no index can be made.

    Raises:
        ValueError: nothing or too much to encode with, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_choices(cfg)
    for key in ("block_size", "faiss.probes", "faiss.sample", "faiss.k"):
        if OmegaConf.select(cfg, key) < 1:
            raise ValueError(f"{key} must be at least 1, not {OmegaConf.select(cfg, key)}")
    if cfg.language is not None and (fault := language_fault(cfg.language)):
        raise ValueError(f"language: {fault}")
    _check_system(cfg)


def check_search(cfg: DictConfig) -> None:
    """Refuse a search that cannot work or would not mean what it says.

    Raises:
        ValueError: not one of query and queries, an empty query, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_choices(cfg)
    if (cfg.query is None) == (cfg.queries is None):
        raise ValueError('give one of query="..." and queries=FILE')
    if cfg.query is not None and (fault := text_fault(cfg.query)):
        raise ValueError(f"the query {fault}")
    if cfg.language == OWN and cfg.query is not None:
        raise ValueError(f"language={OWN} is for queries=FILE, where each has a language; name one: language=de")
    if cfg.k < 1 or cfg.query_chunk < 1:
        raise ValueError(f"k={cfg.k} and query_chunk={cfg.query_chunk} must both be at least 1")


def check_check(cfg: DictConfig) -> None:
    """Refuse to check nothing.

    Raises:
        ValueError: no file is named.
    """
    check_missing(cfg)


def _check_system(cfg: DictConfig) -> None:
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
            "nothing to search with: give checkpoint=PATH, or a pretrained model with model=labse or "
            "model.name_or_path=DIR (a model from scratch has learned nothing before training)"
        )


def _check_teacher(cfg: DictConfig, needed: bool) -> None:
    given = [name for name in ("checkpoint", "model") if cfg.teacher[name] is not None]
    if len(given) > 1:
        raise ValueError("teacher.checkpoint holds its own encoder, and teacher.model names another one; give one")
    if needed and not given:
        raise ValueError(
            "this loss learns from a teacher, and there is none; give teacher.checkpoint=PATH, or a pretrained model "
            "with model@teacher.model=labse"
        )
    if given and not needed:
        raise ValueError(f"teacher.{given[0]} is given, but the loss takes no teacher; choose loss=distillation")
    if given == ["model"]:
        OmegaConf.to_object(cfg.teacher.model)
        if cfg.teacher.model.name_or_path is None:
            raise ValueError("teacher.model is one from scratch, which has learned nothing; give teacher.checkpoint")


def _check_translations(cfg: DictConfig, wanted: Translations) -> None:
    """What the corpora have is checked with the plan; what is left of it by choice, here."""
    for key, languages in (("data.languages", cfg.data.languages), ("sampler.languages", cfg.sampler.languages)):
        if wanted and languages is not None and len(languages) < 2:
            raise ValueError(
                f"this loss compares translations, and {key}={list(languages)} leaves one language; take more, or "
                "loss=infonce"
            )


def check_missing(cfg: DictConfig) -> None:
    """Refuse a configuration in which a value is still to be given.

    Raises:
        ValueError: names it.
    """
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ValueError(f"no value for {', '.join(missing)}; give one on the command line, such as {missing[0]}=...")


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
    if cfg.trainer.get("gradient_clip_algorithm") not in (None, "norm"):
        raise ValueError("trainer.gradient_clip_algorithm: gradients are clipped by their global norm alone")
    if cfg.trainer.get("overfit_batches"):
        raise ValueError(
            "trainer.overfit_batches would take the plan's place; take debug=overfit, or trainer.limit_train_batches"
        )
    precision, accelerator = cfg.trainer.get("precision", "32-true"), cfg.trainer.get("accelerator", "auto")
    if precision == "16-mixed" and (accelerator == "cpu" or not torch.accelerator.is_available()):
        raise ValueError(
            "trainer.precision=16-mixed needs a GPU (Lightning would train in bf16 instead); on a CPU take 32-true, or "
            "bf16-mixed"
        )
    if str(cfg.model.attention).startswith("flash_attention") and precision == "32-true":
        raise ValueError(
            f"model.attention={cfg.model.attention} computes in half precision; take trainer.precision=bf16-mixed, or "
            "model.attention=sdpa"
        )
    if precision in ("16-true", "bf16-true"):
        raise ValueError(
            f"trainer.precision={precision} keeps the weights in half precision, whose rounding swallows updates at "
            "usual learning rates; take bf16-mixed"
        )


def run_length(cfg: DictConfig) -> RunLength:
    """When training ends by plan."""
    return RunLength(**{key: cfg.trainer[key] for key in RUN_LENGTH if cfg.trainer.get(key) is not None})


def _check_schedule(cfg: DictConfig) -> None:
    schedule = cfg.sampler.get("schedule")
    if schedule is not None and schedule.batches is None and run_length(cfg).batches(per_epoch=1) is None:
        raise ValueError(
            "sampler.schedule has no end, as training has none; set trainer.max_epochs, trainer.max_steps or "
            "sampler.schedule.batches"
        )


def _check_zero_shot(cfg: DictConfig) -> None:
    """Zero-shot means that nothing of an evaluation set is trained on."""
    trained = {place: name for name, corpus in cfg.data.corpora.items() for place in _places(corpus)}
    for name, benchmark in cfg.eval.benchmarks.items():
        for place in _places(benchmark) & trained.keys():
            if _apart(cfg.data.corpora[trained[place]], benchmark):
                continue
            raise ValueError(
                f"corpus {trained[place]} and benchmark {name} both read {place}: that is no zero-shot evaluation; "
                "train on one and evaluate on the other (eval=mlqa_r, eval=xquad_r), or on articles that were held out "
                f"(data.corpora.{trained[place]}.part=train eval.benchmarks.{name}.part=held_out)"
            )


def _apart(corpus: DictConfig, benchmark: DictConfig) -> bool:
    """Whether the two take articles of one set that are never the same, see `hybrid_ir.sources.parts`."""
    parts = corpus.get("part"), benchmark.get("part")
    return parts == ("train", "held_out") and benchmark.held_out <= corpus.held_out


def _places(source: DictConfig) -> set[Path]:
    """The local folders (or single files) that a corpus or benchmark reads."""
    if source.get("folder") is not None:
        return {Path(f"{source.root}/{source.folder}").resolve()}
    path = source.get("path")
    if isinstance(path, DictConfig):  # language -> file
        return {Path(file).resolve().parent for file in path.values()}
    return set() if path is None else {Path(path).resolve()}


def _check_measures(cfg: DictConfig) -> None:
    own = {f"eval.benchmarks.{key}": item.get("measures") for key, item in cfg.eval.benchmarks.items()}
    for place, measures in {"eval": cfg.eval.measures, **own}.items():
        for setting, names in (measures or {}).items():
            if setting not in SETTINGS:
                raise ValueError(f"{place}.measures.{setting}: there are the settings {', '.join(SETTINGS)}")
            for name in names:
                Measure.parse(name)


def _check_monitors(cfg: DictConfig) -> None:
    """The objective and every monitored metric must be one that the run logs, when it is asked for."""
    _check_logged(cfg, "objective", cfg.objective)
    for name, callback in (cfg.callbacks or {}).items():
        metric = callback.get("monitor") if callback is not None else None
        key = f"callbacks.{name}.monitor"
        _check_logged(cfg, key, metric)
        each_epoch = {*_TRAINING, *_subset_names(cfg)}
        zero_shot = metric is not None and metric.split("/")[0] not in each_epoch
        if zero_shot and "patience" in callback and cfg.eval.every_n_epochs > 1:
            raise ValueError(
                f"{key}={metric} is measured every {cfg.eval.every_n_epochs} epochs, and patience counts epochs; "
                "set eval.every_n_epochs=1, or monitor validation/loss"
            )


def _check_logged(cfg: DictConfig, key: str, metric: str | None) -> None:
    if metric is None:
        return
    if metric.startswith("validation/") and not cfg.data.holdout:
        raise ValueError(f"{key}={metric} needs a validation loss: hold examples out with data.holdout=1000")
    if metric.split("/")[0] in _TRAINING:
        return
    known = macro_metrics(cfg)
    of_one_language = [name for name in known if "/crosslingual/" not in name and metric.startswith(f"{name}/")]
    if metric not in known and not of_one_language:
        near = nearest(metric, known, cutoff=0.0)
        hint = f"; did you mean {near!r}?" if near else ": it has no benchmark"
        raise ValueError(f"{key}={metric} is not logged in this run{hint}")


def macro_metrics(cfg: DictConfig) -> list[str]:
    """Names of the macro averages that zero-shot evaluation logs, those of subsets last."""
    benchmarks = [metric_names(benchmark, cfg.eval.measures) for benchmark in cfg.eval.benchmarks.values()]
    whole = [name for kinds in benchmarks for names in kinds.values() for name in names]
    return whole + [name.replace("/", f"{SUFFIX}/", 1) for name in whole if _subset_names(cfg)]


def _subset_names(cfg: DictConfig) -> set[str]:
    """Names of the parts of benchmarks that are judged between epochs."""
    if cfg.eval.every_n_steps is None:
        return set()
    return {f"{benchmark.name}{SUFFIX}" for benchmark in cfg.eval.benchmarks.values()}


def metric_names(benchmark: DictConfig, measures: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Names of a benchmark's macro averages by kind of setting, in the order of SETTINGS.

    Args:
        benchmark: its loader and arguments; `measures` and `settings` among them are its own.
        measures: for a benchmark that brings none of its own.
    """
    own, judged = benchmark.get("measures") or measures, benchmark.get("settings") or SETTINGS
    return {
        kind: [
            f"{benchmark.name}/{measure}"
            if Measure.parse(measure).compares_languages
            else f"{benchmark.name}/{kind}/{measure}"
            for measure in own[kind]
        ]
        for kind in SETTINGS
        if kind in judged and own.get(kind)
    }


def given_fields(group: str) -> set[str] | None:
    """Fields of a group that the command line gives one by one; None where it chooses of the group (`model=labse`)."""
    if group in (keys := _overridden()):
        return None
    return {key.removeprefix(f"{group}.") for key in keys if key.startswith(f"{group}.")}


def _overridden() -> list[str]:
    """Groups and dotted keys that the command line names."""
    if not HydraConfig.initialized():
        return []
    return [override.lstrip("+~").split("=")[0] for override in HydraConfig.get().overrides.task]


def _chosen() -> set[str]:
    """Groups and keys of the first level that the command line names."""
    return {key.split(".")[0] for key in _overridden()}
