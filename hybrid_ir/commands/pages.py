"""Update generated parts of Markdown pages from result files: `python -m hybrid_ir pages README.md docs/*.md`.

Prose is written by hand. Tables, figures and numbers are generated between markers that name their source:

  <!-- table: docs/results/study benchmark=xquad_r metrics=monolingual/map,rank_distance -->
  <!-- report: docs/results/study section=alpha benchmark=xquad_r -->
  <!-- value: docs/results/study arm=mono metric=multilingual/map -->.615<!-- end -->

docs/report.md describes them. Folders are those of condensed runs, relative to the working directory.
"""

import argparse
import sys
from pathlib import Path

from hybrid_ir.reports.page.marker_pages import Page, build_pages
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.untrusted import printable_lines


def main(arguments: list[str]) -> tuple[str, int]:
    """Generate or check the pages on the command line.

    Returns:
        A message about what was written or is stale, and the exit status: 1 if `--check` finds a stale part.

    Raises:
        ValueError: a page cannot be read, a marker is invalid, or the runs lack what it asks for.
    """
    description, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m hybrid_ir pages",
        description=description,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pages", nargs="+", type=Path, help="Markdown files; one without markers stays as it is")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 and say what is stale, if any")
    options = parser.parse_args(arguments)
    missing = [str(path) for path in options.pages if not path.is_file()]
    if missing:
        raise ValueError(f"no such file: {', '.join(missing)}")
    pages = build_pages(options.pages)
    stale = [line for page in pages for line in page.stale]
    if options.check:
        return "\n".join([*stale, f"{len(stale)} parts are stale" if stale else "nothing is stale"]), int(bool(stale))
    for page in pages:
        if page.stale:
            _write(page)
    return "\n".join([*stale, f"{len(stale)} parts were generated" if stale else "nothing has changed"]), 0


def _write(page: Page) -> None:
    for path, text in {**page.figures, page.path: page.text}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        said, status = main(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"error: {printable_lines(str(error))}")
    print(said)
    sys.exit(status)
