"""Rows of a Parquet table, streamed, with errors that name the file and the row."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.squad_file import FilePosition


def read_parquet(path: Path, columns: Sequence[str]) -> Iterator[tuple[FilePosition, dict[str, Any]]]:
    """The rows of a table with their positions, counted from 0; only the given columns are read.

    Raises:
        InputError: the file cannot be read as a table, or lacks one of the columns.
    """
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    number = 0
    try:
        with pq.ParquetFile(path) as table:
            missing = [column for column in columns if column not in table.schema_arrow.names]
            if missing:
                there = ", ".join(table.schema_arrow.names)
                raise InputError(path, f"the table lacks the column {missing[0]!r}; it has {there}")
            for batch in table.iter_batches(columns=list(columns)):
                for row in batch.to_pylist():
                    yield FilePosition(path, f"row {number}"), row
                    number += 1
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"cannot be read as a Parquet table: {error}") from error
