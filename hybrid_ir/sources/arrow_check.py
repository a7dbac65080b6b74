"""Validation of untrusted Arrow files: Arrow itself trusts the offsets in a file, so they are checked before use."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from hybrid_ir.sources.errors import InputError, first_line


def read_arrow_table(path: Path, schema: pa.Schema, rows: int | None = None) -> pa.Table:
    """Memory-map the table of an Arrow file and check every offset and every text in it.

    Args:
        path: an Arrow IPC file.
        schema: the expected columns.
        rows: the expected number of rows; None for any.

    Raises:
        InputError: the file cannot be read, has other columns or rows, or has offsets outside its buffers.
    """
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(path, f"not an Arrow file, or damaged: {first_line(error)}") from None
    return checked_table(path, table, schema, rows)


def checked_table(path: str | Path, table: pa.Table, schema: pa.Schema, rows: int | None = None) -> pa.Table:
    """Return the table after checking its columns, offsets and texts. Raises InputError like `read_arrow_table`."""
    if not table.schema.equals(schema):
        raise InputError(path, f"columns {', '.join(table.schema.names)}; expected {', '.join(schema.names)}")
    if rows is not None and table.num_rows != rows:
        raise InputError(path, f"{table.num_rows} rows; expected {rows}")
    try:
        table.validate(full=True)
    except (pa.ArrowException, ValueError) as error:
        raise InputError(path, f"damaged: {first_line(error)}") from None
    return table


def check_batches(batches: Sequence[pa.RecordBatch]) -> None:
    """Check the buffers and offsets of record batches; the texts themselves are not read.

    Costs one pass over the offsets, four bytes a row and column.

    Raises:
        ValueError: a buffer is too small for its rows, offsets leave their buffer or decrease, or a column has a type
            that no corpus has.
    """
    if not batches:
        return
    table = pa.Table.from_batches(batches)
    table.validate()  # sizes of the buffers, before anything is read from them
    for field, column in zip(table.schema, table.columns, strict=True):
        kind = field.type.value_type if pa.types.is_list(field.type) else field.type
        if field.type == pa.string():
            column = column.cast(pa.binary())  # same buffers, but the full check would read every byte of a text
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ValueError(f"column {field.name} is of type {field.type}")
        column.validate(full=True)
