"""Rows gathered from the mapped file are those that Arrow takes from the table."""

import pickle
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.data.store.mapped import MappedTable

SCHEMA = pa.schema(
    [("text_a", pa.string()), ("number", pa.int64()), ("small", pa.int32()), ("text_b", pa.string()),
     ("items", pa.list_(pa.int32()))]
)  # fmt: skip
_record = st.fixed_dictionaries(
    {
        "text_a": st.none() | st.text(max_size=5),
        "number": st.integers(-(2**63), 2**63 - 1),
        "small": st.integers(-(2**31), 2**31 - 1),
        "text_b": st.none() | st.text(max_size=5),
        "items": st.lists(st.integers(0, 9), max_size=3),
    }
)


def write(path: Path, records: list[dict], batch_rows: int) -> pa.Table:
    table = pa.Table.from_pylist(records, SCHEMA)
    with pa.ipc.new_stream(str(path), SCHEMA) as sink:
        sink.write_table(table, max_chunksize=batch_rows)
    return table


@given(records=st.lists(_record, min_size=1, max_size=20), batch_rows=st.integers(1, 7), data=st.data())
@settings(max_examples=20, deadline=None)
def test_rows_are_those_that_arrow_takes(records: list[dict], batch_rows: int, data: st.DataObject) -> None:
    rows = np.asarray(data.draw(st.lists(st.integers(0, len(records) - 1), max_size=30)), dtype=np.int64)
    names = [data.draw(st.sampled_from(["text_a", "text_b"])) for _ in rows]
    with tempfile.TemporaryDirectory() as folder:
        table = write(Path(folder) / "table.arrow", records, batch_rows).take(rows)
        mapped = MappedTable(Path(folder) / "table.arrow")
        mapped = pickle.loads(pickle.dumps(mapped if data.draw(st.booleans()) else mapped.unmapped()))
    assert len(mapped) == len(records)
    for name in ("number", "small"):
        found = mapped.numbers(name, rows)
        assert found.tolist() == table[name].to_pylist() and found.dtype == table[name].type.to_pandas_dtype()
        assert mapped.column(name).tolist() == [record[name] for record in records]
    strings = [table[name][position].as_py() for position, name in enumerate(names)]
    assert mapped.strings(names, rows) == [string or "" for string in strings]
    assert mapped.present(names, rows).tolist() == [bool(string) for string in strings]
    lengths, items = mapped.lists("items", rows)
    parts = np.split(items, np.cumsum(lengths)[:-1]) if len(rows) else []
    assert [part.tolist() for part in parts] == table["items"].to_pylist()


def test_a_row_outside_the_table_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "table.arrow", [{"number": 1}] * 3, 2)
    mapped = MappedTable(tmp_path / "table.arrow")
    for row in (-1, 3):
        with pytest.raises(ValueError, match="or a file that refers to it is damaged"):
            mapped.numbers("number", np.asarray([row]))


@pytest.mark.parametrize("content", [b"", b"no arrow stream at all"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table.arrow").write_bytes(content)
    with pytest.raises((OSError, ValueError)):
        MappedTable(tmp_path / "table.arrow")
