"""The origin of a checkpoint's weights: configuration, steps and results of its training run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_ir.encoder.build import read_checkpoint
from hybrid_ir.evaluation.results.history import EVALUATIONS, RESULTS
from hybrid_ir.evaluation.results.result_files import StoredResults, read_results
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.untrusted import printable_values


@dataclass(frozen=True)
class Origin:
    """Known facts about a checkpoint's training; unknown ones are empty.

    Attributes:
        config: configuration of its training run.
        step: optimiser steps taken.
        results: results of exactly its weights.
        before: metrics of the same run before training.
    """

    config: Mapping[str, Any]
    step: int
    results: StoredResults | None = None
    before: Mapping[str, float] = field(default_factory=dict)


def read_origin(checkpoint: Path, weights: str) -> Origin:
    """The origin of a checkpoint, with the evaluations in its run's folder.

    Args:
        checkpoint: the checkpoint file.
        weights: fingerprint of its weights, by `TextEncoder.describe`. Results of other weights, such as those of a
            later step, are left out.

    Raises:
        InputError: a file of the run's folder is damaged.
    """
    content = read_checkpoint(checkpoint)
    try:
        config, step = printable_values(content.get("hyper_parameters", {})), int(content["global_step"])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InputError(checkpoint, "does not say how many steps it was trained") from None
    run = checkpoint.parent.parent
    steps = sorted((run / EVALUATIONS).glob("step_*.json"))
    for path in (run / RESULTS, *reversed(steps)):
        results = read_results(path) if path.is_file() else None
        described = results.provenance.get("model") if results else None
        if results is not None and isinstance(described, dict) and described.get("weights") == weights:
            first = read_results(steps[0]) if steps else None
            before = first.metrics if first is not None and first.provenance.get("step") == 0 < step else {}
            return Origin(config, step, results, before)
    return Origin(config, step)
