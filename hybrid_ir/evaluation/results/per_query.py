"""Values of every query as a Parquet file: what significance tests, plots and notebooks start from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.result import Result, Setting, SettingResult
from hybrid_ir.sources.arrow_check import checked_table
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.untrusted import printable, printable_values

KEY = ("benchmark", "setting", "query_language", "pool", "measure")
SCHEMA = pa.schema(
    [*((name, pa.string()) for name in (*KEY, "query")), ("query_group", pa.int64()), ("value", pa.float64())]
)
OLD_NAMES = {"topic": "query_group"}  # columns that version 0.1 wrote under other names
FINGERPRINTS = b"fingerprints"


@dataclass(frozen=True)
class StoredValues:
    """What a Parquet file of values holds.

    Attributes:
        fingerprints: benchmark -> fingerprint of its content.
        settings: benchmark -> its settings with the values of every query.
    """

    fingerprints: Mapping[str, str]
    settings: Mapping[str, tuple[SettingResult, ...]]


def write_per_query(path: str | Path, results: Sequence[Result]) -> None:
    """Write a line a benchmark, setting, measure and query; a query without a value has a null."""
    batches = [batch for result in results for entry in result.settings for batch in _batches(result.benchmark, entry)]
    fingerprints = {result.benchmark: result.fingerprint for result in results}
    schema = SCHEMA.with_metadata({FINGERPRINTS: json.dumps(fingerprints)})
    with replacing(path) as draft:
        pq.write_table(pa.Table.from_batches(batches, schema), draft, compression="zstd")


def read_per_query(path: str | Path) -> StoredValues:
    """Read what `write_per_query` wrote, by this version or an earlier one.

    Raises:
        InputError: the file cannot be read, is not Parquet, or has other columns.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(path, f"cannot be read as Parquet: {first_line(error)}") from None
    metadata = table.schema.metadata  # renaming drops it
    table = table.rename_columns([OLD_NAMES.get(name, name) for name in table.schema.names])
    table = table.replace_schema_metadata(metadata)
    table = checked_table(path, table, SCHEMA)
    if FINGERPRINTS not in (table.schema.metadata or {}):
        raise InputError(path, "holds no fingerprints of what was evaluated")
    try:
        return _stored(table)
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(path, f"not of the form that is written: {first_line(error)}") from None


def _stored(table: pa.Table) -> StoredValues:
    settings: dict[str, dict[Setting, SettingResult]] = {}
    for begin, end in _runs(table):
        benchmark, *where, measure = (printable(table[name][begin].as_py()) for name in KEY)
        part, setting = table.slice(begin, end - begin), Setting(*where)
        values = {Measure.parse(measure): part["value"].to_numpy()}
        before = settings.setdefault(benchmark, {}).get(setting)
        if before is not None:
            values = {**before.values, **values}
        queries, query_groups = tuple(part["query"].to_pylist()), part["query_group"].to_numpy()
        settings[benchmark][setting] = SettingResult(setting, queries, query_groups, values)
    return StoredValues(
        fingerprints=printable_values(json.loads(table.schema.metadata[FINGERPRINTS])),
        settings={benchmark: tuple(entries.values()) for benchmark, entries in settings.items()},
    )


def _batches(benchmark: str, entry: SettingResult) -> Iterator[pa.RecordBatch]:
    queries, query_groups = pa.array(entry.queries, pa.string()), pa.array(entry.query_groups, pa.int64())
    for measure, values in entry.values.items():
        key = (benchmark, entry.setting.kind, entry.setting.query_language, entry.setting.pool, measure.name)
        constants = [pa.repeat(pa.scalar(part, pa.string()), len(queries)) for part in key]
        numbers = pa.array(values, pa.float64(), from_pandas=True)  # NaN becomes null
        yield pa.RecordBatch.from_arrays([*constants, queries, query_groups, numbers], schema=SCHEMA)


def _runs(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Lines from begin to end that share a key: those of one setting and measure follow each other."""
    changes: NDArray[np.bool_] = np.zeros(max(len(table) - 1, 0), dtype=bool)
    for name in KEY:
        codes = table[name].combine_chunks().dictionary_encode().indices.to_numpy()
        changes |= np.diff(codes) != 0
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), len(table)]
    return pairwise(bounds if len(table) else ())
