"""What a reader does with invalid rows: stop at the first, or leave them out, count them and describe some."""

from typing import Literal

from hybrid_ir.sources.errors import InputError

OnInvalid = Literal["error", "drop"]
ON_INVALID: tuple[OnInvalid, ...] = ("error", "drop")
_SHOWN = 3  # invalid rows that a note describes


class InvalidRows:
    """The invalid rows of one source.

    Args:
        on_invalid: `error` stops at the first invalid row; `drop` leaves invalid rows out.
    """

    def __init__(self, on_invalid: OnInvalid) -> None:
        self.on_invalid = on_invalid
        self.dropped = 0
        self._shown: list[str] = []

    def add(self, error: InputError) -> None:
        """Count an invalid row. Raises the error again if invalid rows are not dropped."""
        if self.on_invalid == "error":
            raise error
        self.dropped += 1
        if self.dropped <= _SHOWN:
            self._shown.append(str(error))

    def notes(self, source: str, rows: int) -> list[str]:
        """The note for the corpus, if any of the source's `rows` were dropped."""
        if not self.dropped:
            return []
        return [f"{source}: {self.dropped} of {rows} rows dropped as invalid, such as: {'; '.join(self._shown)}"]
