"""Compares runs: `python -m hybrid_ir.reporting RUN_DIR...` prints their macro averages side by side, as Markdown.

For two runs it also says which differences are more than chance.
"""

import argparse
import sys
from pathlib import Path

from hybrid_ir.reporting.comparison import compare_runs, comparison_markdown
from hybrid_ir.reporting.console import headline_markdown
from hybrid_ir.reporting.history import RESULTS
from hybrid_ir.retrieval.files import read_results


def find_results(folder: Path) -> list[Path]:
    """`results.json` of a run's folder, or of every run below a folder, oldest first.

    Raises:
        ValueError: there is none.
    """
    if (folder / RESULTS).exists():
        return [folder / RESULTS]
    found = sorted(folder.rglob(RESULTS), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError(f"no {RESULTS} in {folder} or below it; name a run's folder, or a folder of runs")
    return found


def main(arguments: list[str]) -> str:
    """The comparison of the runs that the command line names.

    Raises:
        ValueError: a folder without results, or two runs that judged different things under one name.
    """
    description, _, tests = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m hybrid_ir.reporting", description=description, epilog=tests)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, or folders that hold several")
    parser.add_argument("--samples", type=int, default=10_000, help="random samples of the tests (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random samples (%(default)s)")
    parser.add_argument("--settings", action="store_true", help="a line for every language and pair of languages too")
    options = parser.parse_args(arguments)
    runs = [file.parent for folder in options.runs for file in find_results(folder)]
    table = headline_markdown({str(run): read_results(run / RESULTS).metrics for run in runs})
    if len(runs) != 2:
        return table
    metrics = compare_runs(runs[0], runs[1], options.samples, options.seed)
    return f"{table}\n\n{comparison_markdown(runs[0], runs[1], metrics, options.settings)}"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {error}")
