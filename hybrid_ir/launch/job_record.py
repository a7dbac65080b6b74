"""Records of how the jobs of a sweep ended, stored as `job.json` in each job's folder."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.file_search import files_below
from hybrid_ir.sources.json_file import read_json_object
from hybrid_ir.sources.untrusted import printable, printable_lines

RECORD = "job.json"


@dataclass(frozen=True)
class JobRecord:
    """The outcome of a job.

    Attributes:
        overrides: the overrides of the job.
        config: fingerprint of its resolved configuration, see `hybrid_ir.launch.sweep_job.fingerprint`.
        objective: the value returned to the sweeper, that of `optimized_metric`.
        error: message of the error that stopped it; None for a finished job.
        before: record of an earlier finished job in this folder, if the failed one left its files intact.
    """

    overrides: Sequence[str]
    config: str
    objective: float | None = None
    error: str | None = None
    before: "JobRecord | None" = None


def write_record(run: Path, record: JobRecord) -> None:
    """Write the record of the job in this folder, atomically."""
    run.mkdir(parents=True, exist_ok=True)
    with replacing(run / RECORD) as draft:
        draft.write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record(run: Path) -> JobRecord | None:
    """Read the record of the job in this folder; None if there is none.

    Raises:
        InputError: the file is damaged, or not a job record.
    """
    path = run / RECORD
    if not path.exists():
        return None
    content = read_json_object(path)
    before = content.pop("before", None)
    return _record(path, {**content, "before": _record(path, before) if before else None})


def _record(path: Path, content: Any) -> JobRecord:
    try:
        record = JobRecord(**content)
        if not isinstance(record.before, JobRecord | None):
            raise TypeError("a finished job has none before it")
        record = replace(record, overrides=[printable(word) for word in record.overrides], config=str(record.config))
        if record.error is not None:
            record = replace(record, error=printable_lines(record.error))
        return record if record.objective is None else replace(record, objective=float(record.objective))
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(path, f"not a valid job record: {first_line(error)}") from None


def finished_record(run: Path) -> JobRecord | None:
    """The record of the finished job whose results are in this folder; None if no job finished."""
    record = read_record(run)
    return record if record is None or record.error is None else record.before


def version(path: Path) -> tuple[int, int]:
    """A value that changes whenever the file is rewritten."""
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


class CurrentSweep:
    """The sweep that this process started, if any. Jobs in other processes report to it through their folders.

    The folder may also hold jobs of earlier commands. Their records stay, but are not reported again.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._before: dict[Path, tuple[int, int]] = {}

    def begin(self, folder: Path) -> None:
        """Note earlier failures by their files, since the clocks of several machines differ."""
        self.folder, self._before = folder, {}
        self._before = {run: version(run / RECORD) for run in self.failures()}

    def failures(self) -> dict[Path, JobRecord]:
        """Folder and record of every job that failed since the sweep began."""
        runs = sorted(path.parent for path in files_below(self.folder, RECORD)) if self.folder else []
        records = {run: read_record(run) for run in runs}
        failed = {run: record for run, record in records.items() if record is not None and record.error is not None}
        return {run: record for run, record in failed.items() if self._before.get(run) != version(run / RECORD)}

    def end(self) -> bool:
        """Print the folder of the jobs and, to standard error, all failures. Returns whether there are none."""
        if self.folder is None:
            return True
        failures = self.failures()
        if any(files_below(self.folder, RECORD)):
            print(f"the runs of this sweep are in {self.folder}: python -m hybrid_ir report {self.folder}")
        for run, record in failures.items():
            print(f"failed: {' '.join(record.overrides)}\n  {record.error}\n  {run}", file=sys.stderr)
        if failures:
            print(
                f"failed jobs: {len(failures)}; run the same command again to resume them, it skips finished jobs",
                file=sys.stderr,
            )
        self.folder = None
        return not failures


SWEEP = CurrentSweep()
