"""Compares runs: `python -m hybrid_ir.reporting RUN_DIR...` prints their macro averages side by side, as Markdown."""

import argparse
import sys
from pathlib import Path

from hybrid_ir.reporting.console import headline_markdown
from hybrid_ir.retrieval.files import read_results


def find_results(folder: Path) -> list[Path]:
    """`results.json` of a run's folder, or of every run below a folder, oldest first.

    Raises:
        ValueError: there is none.
    """
    if (folder / "results.json").exists():
        return [folder / "results.json"]
    found = sorted(folder.rglob("results.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError(f"no results.json in {folder} or below it; name a run's folder, or a folder of runs")
    return found


def main(arguments: list[str]) -> str:
    """The comparison of the runs that the command line names.

    Raises:
        ValueError: a folder without results.
    """
    parser = argparse.ArgumentParser(prog="python -m hybrid_ir.reporting", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, or folders that hold several")
    files = [file for folder in parser.parse_args(arguments).runs for file in find_results(folder)]
    return headline_markdown({str(file.parent): read_results(file).metrics for file in files})


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {error}")
