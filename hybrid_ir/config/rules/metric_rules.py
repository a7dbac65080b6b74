"""Rules for metrics: the names that a run logs, and checks that monitored metrics are among them."""

import re
from collections.abc import Mapping, Sequence

from hydra.utils import instantiate
from omegaconf import DictConfig

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS
from hybrid_ir.evaluation.benchmarks.subset import SUFFIX
from hybrid_ir.evaluation.measures.measures import Direction, Measure
from hybrid_ir.sources.errors import nearest
from hybrid_ir.training.batch_metrics import QUANTITIES
from hybrid_ir.training.callbacks.progress import RATES

LANGUAGE = "{language}"  # any language code in a name, if the configuration does not list the languages
_CODE = "[^/@{}]+"
_TRAINING = ("train", "train_epoch", "validation")  # first parts of the names of training metrics


def metric_names(benchmark: DictConfig, measures: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Kind of setting -> names of a benchmark's macro averages, in the order of SETTINGS.

    `language_share@10` is logged once per language: `language_share_de@10`, or with `LANGUAGE` for the code.

    Args:
        benchmark: the loader and its arguments, which may include `measures` and `settings`.
        measures: the default measures, for a benchmark without its own.
    """
    own, settings = benchmark.get("measures") or measures, benchmark.get("settings") or SETTINGS
    return {
        kind: [name for measure in own[kind] for name in _logged_as(Measure.parse(measure), kind, benchmark)]
        for kind in SETTINGS
        if kind in settings and own.get(kind)
    }


def _logged_as(measure: Measure, kind: str, benchmark: DictConfig) -> list[str]:
    if not measure.compares_languages:
        return [f"{benchmark.name}/{kind}/{measure.name}"]
    codes = benchmark.get("languages") or [LANGUAGE]
    return [f"{benchmark.name}/{each.name}" for each in measure.of_languages(codes)]


def hardest_metric(benchmark: DictConfig, measures: Mapping[str, Sequence[str]]) -> str | None:
    """The first macro average of the hardest setting whose measure ranks systems; None if there is none."""
    for names in reversed(metric_names(benchmark, measures).values()):
        for name in names:
            if Measure.parse(name.rpartition("/")[2]).direction is not Direction.NEITHER:
                return name
    return None


def macro_metrics(cfg: DictConfig) -> list[str]:
    """Names of the macro averages that zero-shot evaluation logs; those of subsets come last."""
    benchmarks = [metric_names(benchmark, cfg.eval.measures) for benchmark in cfg.eval.benchmarks.values()]
    whole = [name for kinds in benchmarks for names in kinds.values() for name in names]
    return whole + [name.replace("/", f"{SUFFIX}/", 1) for name in whole if _subset_names(cfg)]


def training_metrics(cfg: DictConfig) -> list[str]:
    """Names of the metrics that training logs: per step, per epoch and, if there are examples, for validation."""
    kinds, parts = instantiate(cfg.sampler).kinds, instantiate(cfg.loss).part_names
    step = (*QUANTITIES, *parts, *(f"loss/{kind}" for kind in kinds), "temperature", "learning_rate", "gradient_norm")
    epoch = (
        *QUANTITIES,
        *(f"{name}/{kind}" for name in (*QUANTITIES, "share") for kind in kinds),
        *(f"share/{side}/{LANGUAGE}" for side in ("question", "passage")),
    )
    validation = (*QUANTITIES, *parts) if _has_validation(cfg) else ()
    by_prefix = zip(_TRAINING, (step, epoch, validation), strict=True)
    return [*RATES, *(f"{prefix}/{name}" for prefix, names in by_prefix for name in names)]


def _has_validation(cfg: DictConfig) -> bool:
    return bool(cfg.data.holdout or cfg.data.validation.corpora)


def _subset_names(cfg: DictConfig) -> set[str]:
    """Names of the benchmark subsets that are evaluated during epochs."""
    if cfg.eval.every_n_steps is None:
        return set()
    return {f"{benchmark.name}{SUFFIX}" for benchmark in cfg.eval.benchmarks.values()}


def check_measures(cfg: DictConfig) -> None:
    """Raises ValueError if a setting or a measure does not exist."""
    own = {f"eval.benchmarks.{key}": item.get("measures") for key, item in cfg.eval.benchmarks.items()}
    for owner, measures in {"eval": cfg.eval.measures, **own}.items():
        for setting, names in (measures or {}).items():
            if setting not in SETTINGS:
                raise ValueError(f"{owner}.measures.{setting}: the setting must be one of {', '.join(SETTINGS)}")
            for name in names:
                Measure.parse(name)


def check_monitors(cfg: DictConfig) -> None:
    """Raises ValueError if an optimized or monitored metric is not logged by the time it is needed."""
    _check_logged(cfg, "optimized_metric", cfg.optimized_metric)
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
    if metric.startswith("validation/") and not _has_validation(cfg):
        raise ValueError(
            f"{key}={metric} needs a validation loss: choose a corpus with data/validation=squadshifts, or hold "
            "examples out with data.holdout=1000"
        )
    known = training_metrics(cfg) if metric.split("/")[0] in _TRAINING else macro_metrics(cfg)
    if not any(_logs(name, metric) for name in known):
        near = nearest(metric, known, cutoff=0.0)
        hint = f"; did you mean {near!r}?" if near else ", which has no benchmark"
        raise ValueError(f"{key}={metric} is not logged in this run{hint}")


def _logs(name: str, metric: str) -> bool:
    """Whether `metric` is the metric `name`, or the value of that macro average in one language."""
    by_language = "/crosslingual/" not in name and name.split("/")[0] not in _TRAINING
    pattern = re.escape(name).replace(re.escape(LANGUAGE), _CODE)
    return re.fullmatch(f"{pattern}(/{_CODE})?" if by_language else pattern, metric) is not None
