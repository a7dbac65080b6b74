"""Compare runs, with significance tests: `python -m hybrid_ir report RUN_OR_SWEEP...`.

Prints the macro averages side by side (for two runs, with tests of their differences), and writes the full report as
one HTML page (report.html) and as Markdown (report.md).
"""

import argparse
import os
import sys
from pathlib import Path

from hybrid_ir.evaluation.results.comparison import compare_runs, comparison_markdown
from hybrid_ir.evaluation.results.console import headline_markdown
from hybrid_ir.evaluation.results.history import RESULTS
from hybrid_ir.reports.build_report import TITLE, build_report, write_report
from hybrid_ir.reports.runs import failed_jobs, find_results, read_runs
from hybrid_ir.reports.study import Study
from hybrid_ir.sources.untrusted import printable_lines

ELSEWHERE = Path("outputs/report")


def main(arguments: list[str]) -> str:
    """Write the report on the runs on the command line.

    Returns:
        The brief comparison, and the path of the report.

    Raises:
        ValueError: a folder has no results, a file is invalid, or one benchmark name has different contents in the
            runs.
    """
    description, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m hybrid_ir report", description=description, epilog=details)
    parser.add_argument(
        "runs", nargs="+", type=Path, help="folders of runs, folders that hold several (a sweep), or results files"
    )
    parser.add_argument(
        "--out", type=Path, help=f"folder to write to (the one folder that is named, otherwise {ELSEWHERE})"
    )
    parser.add_argument("--title", default=TITLE, help="of the report (%(default)s)")
    parser.add_argument("--samples", type=int, default=10_000, help="random samples of the tests (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random samples (%(default)s)")
    parser.add_argument(
        "--settings", action="store_true", help="print a line for every language and pair of languages too"
    )
    options = parser.parse_args(arguments)
    files = [file for path in options.runs for file in find_results(path)]
    runs, failed = read_runs(files), failed_jobs(options.runs)
    finished = [run for run in runs if run.error is None]
    if not finished:
        raise ValueError(f"every run failed: {'; '.join(f'{run}: {error}' for run, error in failed.items())}")
    try:
        report = build_report(Study(finished, options.samples, options.seed, failed), options.title)
    except (AttributeError, KeyError, TypeError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        raise ValueError(
            f"the results of one of these runs are malformed ({type(error).__name__}: {error}); "
            "HYDRA_FULL_ERROR=1 shows where"
        ) from error
    written = write_report(options.out or _default_folder(options.runs), report)
    parts = [headline_markdown({run.label: run.results.metrics for run in finished})]
    parts.extend(f"Left out: {run}: the job failed: {error}" for run, error in failed.items())
    if len(finished) == 2 and all(run.file.name == RESULTS for run in finished):
        first, second = (run.file.parent for run in finished)
        metrics = compare_runs(first, second, options.samples, options.seed)
        parts.append(comparison_markdown(first, second, metrics, options.settings))
    return "\n\n".join([*parts, f"The whole report: {' and '.join(map(str, written))}"])


def _default_folder(arguments: list[Path]) -> Path:
    return arguments[0] if len(arguments) == 1 and arguments[0].is_dir() else ELSEWHERE


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {printable_lines(str(error))}")
