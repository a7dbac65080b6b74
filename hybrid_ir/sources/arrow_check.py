"""Arrow data of somebody else, checked before a value of it is used: Arrow itself trusts the offsets in a file."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from hybrid_ir.sources.errors import InputError, first_line


def read_arrow_table(path: Path, schema: pa.Schema, rows: int | None = None) -> pa.Table:
    """The table of an Arrow file, memory-mapped; every offset and every text in it was checked.

    Args:
        path: an Arrow IPC file.
        schema: what its columns must be.
        rows: how many there must be.

    Raises:
        InputError: the file cannot be read, has other columns or rows, or leads out of its own buffers.
    """
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(path, f"not an Arrow file, or damaged: {first_line(error)}") from None
    return checked_table(path, table, schema, rows)


def checked_table(path: str | Path, table: pa.Table, schema: pa.Schema, rows: int | None = None) -> pa.Table:
    """The table itself, once its columns, offsets and texts are known to be what they must be; raises InputError."""
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
        ValueError: a buffer is too small for its rows, an offset leads out of its buffer or back, or a column is of a
            kind that no corpus has.
    """
    if not batches:
        return
    table = pa.Table.from_batches(batches)
    table.validate()  # sizes of the buffers, before anything looks into them
    for field, column in zip(table.schema, table.columns, strict=True):
        kind = field.type.value_type if pa.types.is_list(field.type) else field.type
        if field.type == pa.string():
            column = column.cast(pa.binary())  # the same buffers; of texts the full check would read every byte
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ValueError(f"column {field.name} is of type {field.type}")
        column.validate(full=True)
