"""Arms of a study: groups of runs that differ only in the seed, with short distinguishing labels."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_ir.config.stored_configs import with_defaults
from hybrid_ir.reports.rendering.numerals import share
from hybrid_ir.reports.runs import TrainingRun

# Options that affect neither the trained weights nor what is measured.
INCIDENTAL = ("name", "seed", "ckpt_path", "optimized_metric", "paths", "logger", "device", "query_chunk", "cache_gib")
INCIDENTAL_WITHIN = {
    "trainer": (
        "logger", "default_root_dir", "log_every_n_steps", "enable_progress_bar", "enable_model_summary", "profiler",
        "accelerator", "devices", "num_nodes", "strategy", "plugins",  # the batch plan does not depend on them
    ),
    "callbacks": ("best", "last", "progress", "dashboard"),
    "data": ("num_workers", "mapped"),
}  # fmt: skip
MEASURED = ("benchmarks", "precision")  # options of `eval` that decide values, not when or by which measures
UNTRAINED = "untrained"
SAMPLERS = (UNTRAINED, "english", "mixed", "mono", "cross", "hybrid")  # in the order of tables


@dataclass(frozen=True)
class Arm:
    """Runs with the same configuration except for the seed.

    Attributes:
        label: name of the arm, unique in a report.
        runs: one run for each seed, in the order of seeds.
        repeats: older runs with a seed of `runs`, which the report leaves out.
        backbone: the system that embeds texts: `labse`, a baseline, or the name of a run file.
        sampler: the sampler of training batches; `UNTRAINED` without training.
        alpha: share of monolingual batches: the configured one for `hybrid`, 1 for `mono`, 0 for `cross`, else None.
        data: the training corpora.
    """

    label: str
    runs: tuple[TrainingRun, ...]
    repeats: tuple[TrainingRun, ...]
    backbone: str
    sampler: str
    alpha: float | None
    data: str

    @property
    def config(self) -> Mapping[str, Any]:
        return self.runs[0].config

    @property
    def seeds(self) -> int:
        return len(self.runs)


def group_runs(runs: Sequence[TrainingRun]) -> list[Arm]:
    """Group runs into arms, sorted by backbone, sampler and alpha."""
    members: dict[str, list[TrainingRun]] = {}
    for run in runs:
        members.setdefault(json.dumps(identity(run), sort_keys=True), []).append(run)
    groups = sorted(members.values(), key=_order)
    arms = []
    for label, group in zip(_labels([group[0] for group in groups]), groups, strict=True):
        newest = {run.config.get("seed"): run for run in group}  # a later run of the same seed replaces it
        kept = sorted(newest.values(), key=lambda run: run.config.get("seed") or 0)
        repeats = tuple(run for run in group if run not in kept)
        arms.append(Arm(label, tuple(kept), repeats, *_traits(group[0])))
    return arms


def identity(run: TrainingRun) -> dict[str, Any]:
    """A key that groups runs into arms, equal for runs that differ only in the seed; unique without a configuration."""
    return essence(run.config) if run.config else {"run": run.label}


def essence(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration that decides results, without the seed; missing fields have their defaults."""
    config = with_defaults(config)
    unused = () if config.get("run") else ("run_measures", "run_relevance_level", "run_ignore_identical_ids")
    kept = {key: value for key, value in config.items() if key not in (*INCIDENTAL, *unused)}
    kept["eval"] = {key: (config.get("eval") or {}).get(key) for key in MEASURED}
    for group, without in INCIDENTAL_WITHIN.items():
        kept[group] = {key: value for key, value in (config.get(group) or {}).items() if key not in without}
    folders = {key: value for key, value in (config.get("paths") or {}).items() if value}
    cleaned: dict[str, Any] = _essential(kept, folders)
    sampler = cleaned.get("sampler", {})
    if sampler.get("weights", {}).keys() == {"_target_"}:  # there are no weights
        cleaned["sampler"] = {key: value for key, value in sampler.items() if key != "weights"}
    return cleaned


def _essential(value: Any, folders: Mapping[str, str]) -> Any:
    """A configuration without file paths and without options that are off or empty, which older code may lack."""
    if isinstance(value, Mapping):
        entries = {key: _essential(entry, folders) for key, entry in value.items()}
        return {key: entry for key, entry in entries.items() if not _is_off(entry)}
    if isinstance(value, list):
        return [_essential(entry, folders) for entry in value]
    if isinstance(value, str):
        for key, folder in sorted(folders.items(), key=lambda item: -len(item[1])):
            if value == folder or value.startswith(f"{folder}/"):
                return f"<{key}>{value[len(folder) :]}"
    return value


def _is_off(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, Mapping | list) and not value)


def _traits(run: TrainingRun) -> tuple[str, str, float | None, str]:
    """Backbone, sampler, alpha and data of a run."""
    config, described = run.config, run.results.provenance.get("model") or {}
    sampler = config.get("sampler") or {}
    name = str(sampler.get("name") or UNTRAINED)
    alpha = {"mono": 1.0, "cross": 0.0, "hybrid": sampler.get("alpha")}.get(name)
    corpora = (config.get("data") or {}).get("corpora") or {}
    data = ", ".join(str((reader or {}).get("name") or key) for key, reader in corpora.items())
    if described.get("baseline") or config.get("run"):
        return str(described.get("baseline") or Path(config["run"]).name), UNTRAINED, None, data
    if config.get("checkpoint"):
        name = f"checkpoint {config['checkpoint']}"
    return str((config.get("model") or {}).get("name") or run.label), name, alpha, data


def _order(group: Sequence[TrainingRun]) -> tuple[str, int, float, str, str]:
    backbone, sampler, alpha, data = _traits(group[0])
    rank = SAMPLERS.index(sampler) if sampler in SAMPLERS else len(SAMPLERS)
    return backbone, rank, alpha if alpha is not None else -1.0, sampler, data


def batches(sampler: str, alpha: float | None, config: Mapping[str, Any]) -> str:
    """A sampler's label with non-breaking spaces: `hybrid α = .5`, `hybrid α 1 → .5, linear`, or its bare name."""
    if sampler != "hybrid" or alpha is None:
        return sampler
    values, shape = schedule(config)
    if not values:
        return f"{sampler} α\u00a0=\u00a0{share(alpha, least=2)}"
    way = "\u00a0→\u00a0".join(share(value, least=2) for value in (*values, alpha))
    return f"{sampler} α\u00a0{way}, {shape}"


def schedule(config: Mapping[str, Any]) -> tuple[tuple[float, ...], str]:
    """The values of alpha before the last one and the shape of the schedule; empty if alpha is constant."""
    chosen = (config.get("sampler") or {}).get("schedule") or {}
    if "start" in chosen:
        return (chosen["start"],), str(chosen.get("shape", "linear"))
    return tuple(chosen.get("values") or ()), "steps"


def _labels(runs: Sequence[TrainingRun]) -> list[str]:
    """Distinguishing labels of arms: backbone, batches and data if they vary, then single options."""
    parts = []
    for run in runs:
        backbone, sampler, alpha, data = _traits(run)
        parts.append((backbone, batches(sampler, alpha, run.config), data))
    varying = [index for index in range(3) if len({part[index] for part in parts}) > 1] or [0, 1]
    labels = [" · ".join(part[index] for index in varying if part[index]) for part in parts]
    counts = Counter(labels)
    for label in [label for label, count in counts.items() if count > 1]:
        alike = [index for index, other in enumerate(labels) if other == label]
        settings = [settings_of(identity(runs[index])) for index in alike]
        keys = differing(settings)[:3]
        for index, each in zip(alike, settings, strict=True):
            detail = ", ".join(f"{option(key)}={value(key, each.get(key))}" for key in keys)
            labels[index] = f"{label} · {detail}" if detail else label
    counts = Counter(labels)
    return [f"{label} ({run.label})" if counts[label] > 1 else label for label, run in zip(labels, runs, strict=True)]


Settings = Mapping[str, str]  # dotted key of a configuration -> its value, without options that are off
TARGET = "_target_"


def settings_of(config: Mapping[str, Any]) -> Settings:
    """The options of a configuration by their dotted keys."""
    return dict(_leaves(config, ""))


def differing(settings: Sequence[Settings]) -> list[str]:
    """The options in which configurations differ, in their order.

    If the class of a part differs (`loss._target_`), the class is named: an option that not all configurations have
    counts only if it distinguishes two of the same class.
    """
    keys = dict.fromkeys(key for each in settings for key in each)
    return [key for key in keys if _differs(key, settings)]


def class_around(key: str, settings: Settings) -> str | None:
    """The class of the innermost part that an option belongs to; None if there is none."""
    words = key.removesuffix(f".{TARGET}").split(".")[:-1]
    parts = (".".join(words[:count]) for count in range(len(words), 0, -1))
    return next((settings[target] for part in parts if (target := f"{part}.{TARGET}") in settings), None)


def option(key: str) -> str:
    """An option as typed on the command line; the class of a part has the part's name."""
    return key.removesuffix(f".{TARGET}")


def value(key: str, text: str | None) -> str:
    """A value as shown in tables; a class by its bare name."""
    if text is None:
        return "null"
    return text.rpartition(".")[2] if key.endswith(f".{TARGET}") else text


def _differs(key: str, settings: Sequence[Settings]) -> bool:
    if all(key in each for each in settings):
        return len({each[key] for each in settings}) > 1
    found: dict[str | None, set[str | None]] = {}
    for each in settings:
        found.setdefault(class_around(key, each), set()).add(each.get(key))
    return any(len(values) > 1 for values in found.values())


def _leaves(part: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping) and part:
        for key, entry in part.items():
            yield from _leaves(entry, f"{name}.{key}" if name else str(key))
    else:
        yield name, _typed(part)


def _typed(entry: Any) -> str:
    """A value as typed on the command line."""
    if isinstance(entry, list):
        return f"[{', '.join(map(_typed, entry))}]"
    return str(entry).lower() if isinstance(entry, bool) else str(entry)
