"""The one error that bad input raises, and what to quote of the errors of others."""

from pathlib import Path


class InputError(ValueError):
    """A fault in a source file, said so that the reader can open the file and see it.

    Args:
        path: the file as the user named it.
        fault: what is wrong, what was found, and where possible what to do.
        line: 1-based line (text formats), or None.
        where: a place inside a structured file (`data[3].paragraphs[0].qas[2]`), or None.
    """

    def __init__(self, path: str | Path, fault: str, *, line: int | None = None, where: str | None = None) -> None:
        place = f"{path}" + (f":{line}" if line is not None else "") + (f" at {where}" if where else "")
        super().__init__(f"{place}: {fault}")
        self.path, self.fault, self.line, self.where = path, fault, line, where


def first_line(error: Exception) -> str:
    """What an error says, in one line; its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
