"""Files of a folder that are named after their language: `{language}.json`."""

from pathlib import Path

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.languages import by_canonical


def language_files(folder: Path) -> dict[str, Path]:
    """Language code (BCP 47) -> file, in the order of file names. Hidden files (macOS writes `._en.json`) are not read.

    Raises:
        InputError: two files are named after the same language.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.json")) if not file.name.startswith(".")}
    try:
        return by_canonical(files)
    except ValueError as error:
        raise InputError(folder, f"files of one language: {error}") from None
