"""Copy only the files of runs that reports need: `python -m hybrid_ir condense RUN_OR_SWEEP... --out DIR`.

Absolute paths in the files become <data>, <cache>, <outputs> and <run>; other folders get a name by --folder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hybrid_ir.reports.condense import condense_runs
from hybrid_ir.sources.untrusted import printable_lines


def main(arguments: list[str]) -> str:
    """Condense the runs on the command line. Returns a message about what was written and left out.

    Raises:
        ValueError: see `condense_runs`; or a --folder has no name or no absolute folder.
    """
    description, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m hybrid_ir condense", description=description, epilog=details)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, or folders that hold several (a sweep)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--folder",
        "--place",  # its old name
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="write paths in this folder as <NAME>/...",
    )
    options = parser.parse_args(arguments)
    return "\n".join(condense_runs(options.runs, options.out, _roots(options.folder)))


def _roots(words: Sequence[str]) -> dict[str, str]:
    roots = {}
    for word in words:
        name, _, folder = word.partition("=")
        if not name.isidentifier() or not Path(folder).is_absolute():
            raise ValueError(f"--folder {word}: expected NAME=FOLDER with an absolute folder")
        roots[name] = folder
    return roots


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {printable_lines(str(error))}")
