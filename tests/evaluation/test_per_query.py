"""Per-query values in Parquet: what was written is what is read, and damage is named."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.per_query import StoredValues, read_per_query, write_per_query
from hybrid_ir.sources.errors import InputError
from tests.evaluation.samples import HashEncoder, parallel_benchmark


def test_round_trip(tmp_path: Path) -> None:
    """Two benchmarks; a query of the first has no value."""
    results = [evaluate(HashEncoder(), parallel_benchmark(5, name=name)) for name in ("one", "two")]
    values = next(iter(results[0].settings[0].values.values()))
    values[1] = np.nan
    write_per_query(tmp_path / "values.parquet", results)
    assert pq.read_table(tmp_path / "values.parquet")["value"].null_count == 1
    stored = read_per_query(tmp_path / "values.parquet")
    assert stored.fingerprints == {result.benchmark: result.fingerprint for result in results}
    for result in results:
        for written, read in zip(result.settings, stored.settings[result.benchmark], strict=True):
            assert (written.setting, written.queries) == (read.setting, read.queries)
            assert list(written.values) == list(read.values)
            np.testing.assert_array_equal(written.query_groups, read.query_groups)
            for measure, values in written.values.items():
                np.testing.assert_array_equal(values, read.values[measure])
    write_per_query(tmp_path / "none.parquet", [])
    assert read_per_query(tmp_path / "none.parquet") == StoredValues({}, {})


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
    for name, message in (
        ("text", "cannot be read as Parquet"),
        ("other", "columns a; expected benchmark, setting"),
        ("absent", "cannot be read"),
    ):
        with pytest.raises(InputError, match=rf"{name}\.parquet: {message}"):
            read_per_query(tmp_path / f"{name}.parquet")
