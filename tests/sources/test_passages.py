"""Passages of one's own corpus: every form gives the same, and every fault has its file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.beir import read_texts
from hybrid_ir.sources.formats.passages import LONGEST_ID, find_files, read_passages
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


def test_a_parquet_file_is_read_in_portions_and_its_rows_are_counted_through(tmp_path: Path) -> None:
    records = rows(3000)
    records[2500]["text"] = " "
    with pytest.raises(InputError, match=r"a\.parquet:2501: the text is empty"):
        listed(write_parquet(tmp_path / "a.parquet", records))


def test_passages_without_a_language_get_the_one_that_is_said_or_none(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "text": "a"}, {"id": "2", "text": "b", "language": "de"}])
    assert [entry[-1] for entry in listed(path)] == ["und", "de"]
    assert [entry[-1] for entry in listed(path, language="en")] == ["en", "de"]


GOOD: dict[str, Any] = {"id": "1", "text": "a"}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "a"}, "'id' is missing; there is 'text'"),
        ({"id": "1"}, "'text' is missing; there is 'id'"),
        ({"id": 7, "text": "a"}, "the id is int, not a string"),
        ({"id": "", "text": "a"}, "the id is empty"),
        ({"id": "1", "text": "  "}, "the text is empty"),
        ({"id": "1", "text": ["a"]}, "the text is list, not a string"),
        ({"id": "1", "text": "a\0"}, "the text has a NUL character at position 1"),
        ({"id": "1", "text": "a", "title": 3}, "the title is int, not a string"),
        ({"id": "1", "text": "a", "language": "d e"}, "language code 'd e' is not of letters"),
        ({"id": "1", "text": "a", "language": 1}, "language code 1 is not of letters"),
        ({"id": "ä" * LONGEST_ID, "text": "a"}, f"the id has {2 * LONGEST_ID} bytes, and may have {LONGEST_ID}"),
    ],
)
def test_faulty_rows_are_named(record: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [GOOD, record])
    with pytest.raises(InputError, match=r"a\.jsonl:2: ") as caught:
        listed(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("line", ["{", "[1]", "", '{"id": "1", "text": "\\ud800"}', "\ufeff{}"])
def test_broken_lines_are_named(line: str, tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl.gz", [json.dumps(GOOD), line])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz:2: "):
        listed(tmp_path / "a.jsonl.gz")


def test_a_line_in_another_encoding_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "\xe4"}')
    with pytest.raises(InputError, match=r"a\.jsonl:1: not UTF-8: invalid continuation byte at byte 8 of the line$"):
        listed(tmp_path / "a.jsonl")


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_byte_order_mark_at_the_beginning_is_left_out(suffix: str, tmp_path: Path) -> None:
    write_lines(tmp_path / f"a{suffix}", ["\ufeff" + json.dumps(GOOD)])
    assert [key for key, *_ in listed(tmp_path / f"a{suffix}")] == [GOOD["id"]]
    write_lines(tmp_path / "queries.tsv", ["\ufeffid\ttext", "1\tWhere?"])
    assert list(read_texts(tmp_path / "queries.tsv", language="en")) == ["1"]


def test_broken_parquet_files_are_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(9))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.parquet: no Parquet file, or damaged behind row 0"):
        listed(path)
    with pytest.raises(InputError, match="the columns id and text are needed; there is id, body"):
        listed(write_parquet(tmp_path / "b.parquet", [{"id": "1", "body": "a"}]))
    with pytest.raises(InputError, match=r"c\.parquet:2: 'text' is missing"):
        listed(write_parquet(tmp_path / "c.parquet", [GOOD, {"id": "2", "text": None}]))
    with pytest.raises(InputError, match=r"d\.parquet:1: the id is int, not a string"):
        listed(write_parquet(tmp_path / "d.parquet", [{"id": 1, "text": "a"}]))


def test_files_are_found_by_name_and_by_pattern(tmp_path: Path) -> None:
    paths = [write_jsonl(tmp_path / name, [GOOD]) for name in ("b.jsonl", "a.jsonl", "c.jsonl.gz")]
    assert find_files([str(paths[0]), str(tmp_path / "c*")]) == (paths[0], paths[2])
    assert find_files([str(tmp_path / "*.jsonl")]) == (paths[1], paths[0])
    for patterns, message in (
        (["x.jsonl"], "corpus=x.jsonl: there is no such file"),
        (["x.csv"], r"corpus=x.csv: a corpus is a file of .jsonl, .jsonl.gz, .parquet"),
        ([str(tmp_path / "*.parquet")], "there is no such file"),
        ([str(paths[0]), str(tmp_path / "*.jsonl")], "b.jsonl is named twice"),
    ):
        with pytest.raises(ValueError, match=message):
            find_files(patterns)
