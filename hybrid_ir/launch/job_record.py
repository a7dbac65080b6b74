"""What became of a sweep's jobs, in `job.json` of each job's folder."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.json_file import read_json_object
from hybrid_ir.sources.untrusted import printable, printable_lines

RECORD = "job.json"


@dataclass(frozen=True)
class JobRecord:
    """How a job ended.

    Attributes:
        overrides: what it was started with.
        config: fingerprint of its resolved configuration, see `hybrid_ir.launch.sweep_job.fingerprint`.
        objective: the value that it returned to the sweeper: that of `optimized_metric`.
        error: what stopped it; None for a finished job.
        before: the finished job of this folder, if the one that failed left everything in it intact.
    """

    overrides: Sequence[str]
    config: str
    objective: float | None = None
    error: str | None = None
    before: "JobRecord | None" = None


def write_record(run: Path, record: JobRecord) -> None:
    """Write how the job of this folder ended; the file appears complete or not at all."""
    run.mkdir(parents=True, exist_ok=True)
    with replacing(run / RECORD) as draft:
        draft.write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record(run: Path) -> JobRecord | None:
    """How the job of this folder ended; None where it never did.

    Raises:
        InputError: the file is damaged, or not of the form that is written.
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
        raise InputError(path, f"not the record of a job: {first_line(error)}") from None


def finished_record(run: Path) -> JobRecord | None:
    """How the job whose results this folder holds ended; None where none finished."""
    record = read_record(run)
    return record if record is None or record.error is None else record.before


def version(path: Path) -> tuple[int, int]:
    """What changes whenever the file is rewritten."""
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


class CurrentSweep:
    """The sweep that this process started, if it started one; jobs elsewhere report to it through their folders.

    A folder may hold jobs that the command of now does not name. Their records stay, and are not reported again.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._before: dict[Path, tuple[int, int]] = {}

    def begin(self, folder: Path) -> None:
        """Note what failed earlier, by its file: clocks of several machines differ."""
        self.folder, self._before = folder, {}
        self._before = {run: version(run / RECORD) for run in self.failures()}

    def failures(self) -> dict[Path, JobRecord]:
        """Folder and record of every job that failed since the sweep began."""
        runs = sorted(path.parent for path in self.folder.rglob(RECORD)) if self.folder else []
        records = {run: read_record(run) for run in runs}
        failed = {run: record for run, record in records.items() if record is not None and record.error is not None}
        return {run: record for run, record in failed.items() if self._before.get(run) != version(run / RECORD)}

    def end(self) -> bool:
        """Say where the jobs are and, on standard error, which failed and why; whether all is well."""
        if self.folder is None:
            return True
        failures = self.failures()
        if any(self.folder.rglob(RECORD)):
            print(f"the runs of this sweep are in {self.folder}: python -m hybrid_ir report {self.folder}")
        for run, record in failures.items():
            print(f"failed: {' '.join(record.overrides)}\n  {record.error}\n  {run}", file=sys.stderr)
        if failures:
            print(
                f"{len(failures)} of the jobs failed; the same command resumes them and skips those that finished",
                file=sys.stderr,
            )
        self.folder = None
        return not failures


SWEEP = CurrentSweep()
