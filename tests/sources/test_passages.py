"""Passages of a user's corpus: every form of file gives the same records."""

import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.sources.formats.beir import read_texts
from hybrid_ir.sources.formats.passages import find_files, read_passages
from tests.evaluation.benchmarks.miracl_files import write_lines
from tests.search.corpora import rows, write_jsonl, write_parquet


def listed(*files: Path, language: str | None = None) -> list[tuple[str, str, str, str]]:
    return [(item.id, item.title, item.text, item.language) for item in read_passages(files, language)]


def test_every_form_gives_the_same_passages(tmp_path: Path) -> None:
    records = rows(5)
    plain, packed, table = (tmp_path / name for name in ("a.jsonl", "a.jsonl.gz", "a.parquet"))
    expected = [(r["id"], r.get("title", ""), r["text"], r["language"]) for r in records]
    assert listed(write_jsonl(plain, records)) == listed(write_jsonl(packed, records)) == expected
    assert listed(write_parquet(table, [{**record, "more": 1} for record in records])) == expected
    assert listed(plain, packed) == expected * 2
    renamed = [{"_id": record["id"], **{k: v for k, v in record.items() if k != "id"}} for record in records]
    assert listed(write_jsonl(tmp_path / "b.jsonl", renamed)) == expected


def test_passages_without_a_language_get_the_one_that_is_said_or_none(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "text": "a"}, {"id": "2", "text": "b", "language": "de"}])
    assert [entry[-1] for entry in listed(path)] == ["und", "de"]
    assert [entry[-1] for entry in listed(path, language="en")] == ["en", "de"]


GOOD: dict[str, Any] = {"id": "1", "text": "a"}


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_byte_order_mark_at_the_beginning_is_left_out(suffix: str, tmp_path: Path) -> None:
    write_lines(tmp_path / f"a{suffix}", ["\ufeff" + json.dumps(GOOD)])
    assert [key for key, *_ in listed(tmp_path / f"a{suffix}")] == [GOOD["id"]]
    write_lines(tmp_path / "queries.tsv", ["\ufeffid\ttext", "1\tWhere?"])
    assert list(read_texts(tmp_path / "queries.tsv", language="en")) == ["1"]


def test_quotes_of_pandas_are_left_out_of_a_tsv(tmp_path: Path) -> None:
    """It puts a field that holds quotes in quotes; a text that only begins and ends with quotes stays."""
    rows = ["id\ttext", '1\t"He said ""hi"""', '2\t"So it goes"', '3\t"a" and "b"']
    write_lines(tmp_path / "queries.tsv", rows)
    texts = [text.text for text in read_texts(tmp_path / "queries.tsv", language="en").values()]
    assert texts == ['He said "hi"', '"So it goes"', '"a" and "b"']


def test_files_are_found_by_name_and_by_pattern(tmp_path: Path) -> None:
    paths = [write_jsonl(tmp_path / name, [GOOD]) for name in ("b.jsonl", "a.jsonl", "c.jsonl.gz")]
    assert find_files([str(paths[0]), str(tmp_path / "c*")]) == (paths[0], paths[2])
    assert find_files([str(tmp_path / "*.jsonl")]) == (paths[1], paths[0])
    for patterns, message in (
        (["x.jsonl"], "corpus=x.jsonl: there is no such file"),
        (["x.csv"], r"corpus=x.csv: a corpus must be a file that ends in .jsonl, .jsonl.gz, .parquet"),
        ([str(tmp_path / "*.parquet")], "there is no such file"),
        ([str(paths[0]), str(tmp_path / "*.jsonl")], "b.jsonl is named twice"),
    ):
        with pytest.raises(ValueError, match=message):
            find_files(patterns)
