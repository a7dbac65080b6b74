"""Texts looked up by id in a tab-separated file (faults are tested with mMARCO, which is made of such files)."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.sources.formats.tsv import TextsById, read_integers

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\n"), min_size=1).filter(
    lambda text: text.strip() and not text.endswith("\r")
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tsv") / "texts.tsv"


@given(
    texts=st.dictionaries(st.integers(0, 30), _texts, min_size=1),
    wanted=st.sets(st.integers(0, 30)),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_any_text_is_found_whatever_the_order(
    file: Path, texts: dict[int, str], wanted: set[int], end: str, last: bool
) -> None:
    lines = end.join(f"{key}\t{text}" for key, text in texts.items())
    file.write_bytes((lines + (end if last else "")).encode())
    ids = np.array(sorted(wanted), dtype=np.int64)
    found = TextsById(file, ids)
    assert found[:] == [texts.get(key) for key in ids.tolist()]
    assert found[2:4] == [texts.get(key) for key in ids.tolist()[2:4]]
    assert found.present.tolist() == [key in texts for key in ids.tolist()]


def test_integers_are_read_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"1\t2\t3\r\n40\t-5\t6")
    table = read_integers(tmp_path / "a.tsv", columns=3)
    assert table.dtype == np.int32
    assert table.tolist() == [[1, 2, 3], [40, -5, 6]]
