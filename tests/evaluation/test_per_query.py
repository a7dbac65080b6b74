"""Per-query values in Parquet: what was written is what is read, and damage is named."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.per_query import StoredValues, read_per_query, write_per_query
from hybrid_ir.sources.errors import InputError
from tests.evaluation.samples import HashEncoder, parallel_benchmark


def test_round_trip_of_two_benchmarks(tmp_path: Path) -> None:
    results = [evaluate(HashEncoder(), parallel_benchmark(5, name=name)) for name in ("one", "two")]
    write_per_query(tmp_path / "values.parquet", results)
    stored = read_per_query(tmp_path / "values.parquet")
    assert stored.fingerprints == {result.benchmark: result.fingerprint for result in results}
    for result in results:
        for written, read in zip(result.settings, stored.settings[result.benchmark], strict=True):
            assert (written.setting, written.queries) == (read.setting, read.queries)
            assert list(written.values) == list(read.values)
            np.testing.assert_array_equal(written.query_groups, read.query_groups)
            for measure, values in written.values.items():
                np.testing.assert_array_equal(values, read.values[measure])


def test_a_query_without_a_value_stays_so(tmp_path: Path) -> None:
    result = evaluate(HashEncoder(), parallel_benchmark(3))
    entry = result.settings[0]
    measure, values = next(iter(entry.values.items()))
    missing = np.where(np.arange(len(values)) == 1, np.nan, values)
    write_per_query(tmp_path / "v.parquet", [replace(result, settings=(replace(entry, values={measure: missing}),))])
    assert pq.read_table(tmp_path / "v.parquet")["value"].null_count == 1
    (read,) = read_per_query(tmp_path / "v.parquet").settings["toy"]
    np.testing.assert_array_equal(read.values[measure], missing)


def test_a_run_without_benchmarks_has_no_values(tmp_path: Path) -> None:
    write_per_query(tmp_path / "v.parquet", [])
    assert read_per_query(tmp_path / "v.parquet") == StoredValues({}, {})


def test_a_file_of_version_0_1_is_read(tmp_path: Path) -> None:
    """Its column of query groups is called `topic`."""
    write_per_query(tmp_path / "new.parquet", [evaluate(HashEncoder(), parallel_benchmark(5))])
    table = pq.read_table(tmp_path / "new.parquet")
    names = ["topic" if name == "query_group" else name for name in table.schema.names]
    assert names != table.schema.names
    old_table = table.rename_columns(names).replace_schema_metadata(table.schema.metadata)
    pq.write_table(old_table, tmp_path / "old.parquet")
    old, new = (read_per_query(tmp_path / f"{age}.parquet").settings["toy"] for age in ("old", "new"))
    for one, other in zip(old, new, strict=True):
        np.testing.assert_array_equal(one.query_groups, other.query_groups)


def test_files_of_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"text.parquet: cannot be read as Parquet"):
        read_per_query(tmp_path / "text.parquet")
    with pytest.raises(InputError, match=re.escape("other.parquet: columns a; expected benchmark, setting")):
        read_per_query(tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"absent.parquet: cannot be read"):
        read_per_query(tmp_path / "absent.parquet")
