"""Settings of a W&B run as a whole: axes, tags, configuration, best values and files."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_ir.evaluation.measures.measures import better
from hybrid_ir.evaluation.results.history import FILES
from hybrid_ir.sampling.policy import KINDS, BatchPolicy

EPOCHS = "epochs_trained"
BEST = "best"
LONGEST_TAG = 64  # characters; W&B refuses longer ones


def define_over_epochs(run: Any, names: Iterable[str]) -> None:
    """Plot these metrics over completed epochs (0 is before training); they can still be plotted over steps.

    Names are given one by one, since a pattern would also match tables and media. Everything else is plotted over
    `trainer/global_step`, which Lightning's logger defines.
    """
    run.define_metric(EPOCHS, hidden=True)
    for name in names:
        run.define_metric(name, step_metric=EPOCHS)


def tags(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Tags for filtering runs: backbone, sampler, corpora and benchmarks."""
    names = [config.get(group, {}).get("name") for group in ("model", "sampler")]
    names += config.get("data", {}).get("corpora", {})
    names += [benchmark.get("name") for benchmark in config.get("eval", {}).get("benchmarks", {}).values()]
    return tuple(dict.fromkeys(str(name)[:LONGEST_TAG] for name in names if name))


def planned_mix(policy: BatchPolicy) -> dict[str, float]:
    """The probability of each kind of batch, for any sampler; that of `monolingual` is the paper's alpha.

    If alpha has a schedule, it is the schedule's last value.
    """
    (shares,) = policy.shares(np.ones(1)).tolist()
    return dict.fromkeys(KINDS, 0.0) | dict(zip(policy.kinds, shares, strict=True))


def best_values(evaluations: Iterable[Mapping[str, float]], names: Iterable[str]) -> dict[str, float]:
    """The best value of each of these macro averages over all evaluations; they may be from different epochs."""
    best: dict[str, float] = {}
    for name, metrics in product(names, evaluations):
        if name in metrics and (name not in best or better(name, metrics[name], best[name])):
            best[name] = metrics[name]
    return {f"{BEST}/{name}": value for name, value in best.items()}


def log_files(run: Any, folder: Path, names: Iterable[str] = FILES) -> None:
    """Upload the existing ones of these files and subfolders of a run's folder as the artifact `run-ID-results`.

    Without any, there is no artifact. W&B keeps copies, so the files may change later, when the run is resumed.
    """
    import wandb

    found = [folder / name for name in names if (folder / name).exists()]
    if not found:
        return
    artifact = wandb.Artifact(f"run-{run.id}-results", type="results")
    for path in found:
        if path.is_dir():
            artifact.add_dir(str(path), name=path.name)
        else:
            artifact.add_file(str(path), name=path.name)
    run.log_artifact(artifact)
