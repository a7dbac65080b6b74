"""Contributions of query groups to macro averages, in memory and as a small file instead of `per_query.parquet`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hybrid_ir.sources.arrow_check import checked_table
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.untrusted import printable

TOPICS = "topics.parquet"
SCHEMA = pa.schema([("metric", pa.string()), ("topic", pa.int64()), ("value", pa.float64()), ("shift", pa.float64())])
SHIFT_DECIMALS = 9  # further decimals are rounding noise of sums in another order
LEVEL = 19  # of zstd: written once, read often


@dataclass(frozen=True)
class Contributions:
    """Contributions of query groups to one macro metric in the runs of an arm, as defined in `contributions`.

    Attributes:
        query_groups: int64 (T,), ascending.
        values: float64 (T, R), the c_t, a column for each run.
        linear: float64 (T, R), the l_t.
    """

    query_groups: NDArray[np.int64]
    values: NDArray[np.float64]
    linear: NDArray[np.float64]


def write_contributions(path: Path, found: Mapping[str, Contributions]) -> None:
    """Write the contributions of one run, to at least one metric: a row for each macro metric and query group.

    The c_t are exact, so tests give the same results as from per-query values. `shift` is l_t - c_t to nine decimals,
    for intervals; it depends only on the settings that a query group is in, so it compresses well.
    """
    columns: list[list[NDArray[np.generic]]] = [
        [np.repeat(np.array([metric]), len(each.query_groups)) for metric, each in found.items()],
        [each.query_groups for each in found.values()],
        [each.values[:, 0] for each in found.values()],
        [np.round(each.linear - each.values, SHIFT_DECIMALS)[:, 0] + 0.0 for each in found.values()],  # no -0
    ]
    arrays = [pa.array(np.concatenate(parts), kind.type) for parts, kind in zip(columns, SCHEMA, strict=True)]
    with replacing(path) as draft:
        pq.write_table(
            pa.Table.from_arrays(arrays, schema=SCHEMA),
            draft,
            compression="zstd",
            compression_level=LEVEL,
            use_dictionary=["metric", "topic", "shift"],
        )


def read_contributions(path: Path) -> dict[str, Contributions]:
    """Read a file of `write_contributions`: macro metric -> contributions, in one column.

    Raises:
        InputError: the file cannot be read, is not Parquet, or has other columns.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(path, f"cannot be read as Parquet: {first_line(error)}") from None
    table = checked_table(path, table, SCHEMA)
    metric = table["metric"].combine_chunks().dictionary_encode()
    query_groups, values, shifts = (table[name].to_numpy() for name in SCHEMA.names[1:])
    found = {}
    for code, name in enumerate(metric.dictionary.to_pylist()):
        own = metric.indices.to_numpy() == code
        found[printable(name)] = Contributions(
            query_groups[own], values[own, None], (values[own] + shifts[own])[:, None]
        )
    return found
