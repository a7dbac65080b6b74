"""Reads the runs of a report from their folders."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hybrid_ir.evaluation.results.history import EVALUATIONS, PER_QUERY, RESULTS
from hybrid_ir.evaluation.results.per_query import StoredValues, read_per_query
from hybrid_ir.evaluation.results.result_files import StoredResults, read_results
from hybrid_ir.launch.job_record import RECORD, read_record
from hybrid_ir.reports.contribution_files import TOPICS, Contributions, read_contributions
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.file_search import files_below
from hybrid_ir.sources.untrusted import printable


@dataclass(frozen=True)
class TrainingRun:
    """An evaluated model: a training run, a run of `evaluate.py`, or a single results file.

    Attributes:
        file: its results file.
        label: its name in the report, the path as the user gave it.
    """

    file: Path
    label: str

    @cached_property
    def results(self) -> StoredResults:
        return read_results(self.file)

    @property
    def config(self) -> Mapping[str, Any]:
        """Its configuration; for an evaluated checkpoint, that of its training with the `eval` of the evaluation."""
        own, trained = (self.results.provenance.get(key) or {} for key in ("config", "trained"))
        return {**trained, "eval": own.get("eval")} if trained else own

    @cached_property
    def error(self) -> str | None:
        """The error that stopped the run's job in a sweep; None for a finished job and any other run."""
        record = read_record(self.file.parent) if self.file.name == RESULTS else None
        return record.error if record else None

    @cached_property
    def values(self) -> StoredValues | None:
        """Per-query values; None if they were not kept, as for a single results file."""
        path = self.file.with_name(PER_QUERY)
        return read_per_query(path) if self.file.name == RESULTS and path.exists() else None

    @cached_property
    def query_groups(self) -> Mapping[str, Contributions]:
        """Macro metric -> contributions, as stored in a condensed run; empty for any other run."""
        path = self.file.with_name(TOPICS)
        return read_contributions(path) if self.file.name == RESULTS and path.exists() else {}

    @cached_property
    def history(self) -> tuple[StoredResults, ...]:
        """Every evaluation of a training run, in the order of steps."""
        folder = self.file.with_name(EVALUATIONS)
        if self.file.name != RESULTS or not folder.is_dir():
            return ()
        return tuple(read_results(path) for path in sorted(folder.glob("step_*.json"), key=_in_numbers))

    @property
    def before(self) -> Mapping[str, float]:
        """Metrics of the evaluation before training; empty if there was none."""
        return next((stored.metrics for stored in self.history if stored.provenance.get("step") == 0), {})


def find_results(path: Path) -> list[Path]:
    """The results files at a path: a file itself, that of a run's folder, or those of every run below a folder.

    Links to folders are followed; a run that is found twice is the one that is not behind a link.

    Runs are in natural order, `2` before `10`.

    Raises:
        ValueError: there is no results file.
    """
    if path.is_file():
        return [path]
    if (path / RESULTS).exists():
        return [path / RESULTS]
    found = sorted(files_below(path, RESULTS), key=_in_numbers)
    if not found:
        raise ValueError(
            f"no {RESULTS} in {path} or below it; name a run's folder, a folder of runs (a sweep), or a results file"
        )
    return found


def failed_jobs(paths: Iterable[Path]) -> dict[str, str]:
    """The failed jobs of sweeps in or below these folders, with or without results: label -> error."""
    found = {}
    for path in paths:
        folder = path.parent if path.name == RESULTS else path
        for file in sorted(files_below(folder, RECORD), key=_in_numbers):
            record = read_record(file.parent)
            if record is not None and record.error is not None:
                found[printable(str(file.parent))] = record.error
    return found


def read_runs(files: Sequence[Path]) -> list[TrainingRun]:
    """The runs of some results files; a repeated file is read once.

    Raises:
        ValueError: two runs were evaluated on different data under the same benchmark name.
        InputError: a file is not a results file.
    """
    by_place: dict[Path, Path] = {}
    for file in files:
        by_place.setdefault(file.resolve(), file)
    runs = [
        TrainingRun(file, printable(str(file.parent if file.name == RESULTS else file))) for file in by_place.values()
    ]
    _check_same_data(runs)
    return runs


def _check_same_data(runs: Iterable[TrainingRun]) -> None:
    first: dict[str, tuple[TrainingRun, str]] = {}
    for run in runs:
        for benchmark, facts in run.results.benchmarks.items():
            if "fingerprint" not in facts or "languages" not in facts:
                raise InputError(run.file, f"benchmark {benchmark} without languages and fingerprint of its data")
            other, fingerprint = first.setdefault(benchmark, (run, facts["fingerprint"]))
            if facts["fingerprint"] != fingerprint:
                raise ValueError(
                    f"{other.label} and {run.label} were evaluated on different data as {benchmark}: the "
                    "fingerprints of its texts and qrels differ. Evaluate both on the same data, or report them apart"
                )


def _in_numbers(path: Path) -> list[tuple[int, int | str]]:
    """A key that sorts paths by the numbers in them: `2` before `10`."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", str(path))]
