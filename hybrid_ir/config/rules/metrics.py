"""Names of metrics, and rules between what is measured, monitored and asked for."""

from collections.abc import Mapping, Sequence

from omegaconf import DictConfig

from hybrid_ir.nearest import nearest
from hybrid_ir.retrieval.benchmark import SETTINGS
from hybrid_ir.retrieval.measures import Measure
from hybrid_ir.retrieval.subset import SUFFIX

_TRAINING = ("train", "train_epoch", "validation")  # what metrics of training itself begin with


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


def check_measures(cfg: DictConfig) -> None:
    own = {f"eval.benchmarks.{key}": item.get("measures") for key, item in cfg.eval.benchmarks.items()}
    for place, measures in {"eval": cfg.eval.measures, **own}.items():
        for setting, names in (measures or {}).items():
            if setting not in SETTINGS:
                raise ValueError(f"{place}.measures.{setting}: there are the settings {', '.join(SETTINGS)}")
            for name in names:
                Measure.parse(name)


def check_monitors(cfg: DictConfig) -> None:
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
