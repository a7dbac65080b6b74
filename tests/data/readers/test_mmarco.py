"""The reader of mMARCO, on tiny files laid out as on the hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers import mmarco
from hybrid_ir.data.store import storage
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.hub.fetch import UnreachableError

PASSAGES = {number: f"passage {number}" for number in range(8)}
QUERIES = {20: "NA", 10: 'a "quoted', 30: "null"}
TRIPLES_FILE, GERMAN = "data/triples.train.ids.small.tsv", "data/google/collections/german_collection.tsv"
TRIPLES = [(20, 3, 5), (10, 1, 2), (20, 3, 4), (10, 1, 7), (20, 6, 2), (20, 3, 0)]


def write_tsv(path: Path, rows: Mapping[int, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}\t{text}\n" for key, text in rows.items()), encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """English in order, German in reverse order with one query and one passage missing."""
    folder = tmp_path / "unicamp-dl" / "mmarco"
    german = {key: f"Text {key}" for key in reversed(PASSAGES) if key != 4}
    write_tsv(folder / "data/google/collections/english_collection.tsv", PASSAGES)
    write_tsv(folder / GERMAN, german)
    write_tsv(folder / "data/google/queries/train/english_queries.train.tsv", QUERIES)
    write_tsv(folder / "data/google/queries/train/german_queries.train.tsv", {10: "Frage 10"})
    triples = "".join("\t".join(map(str, triple)) + "\n" for triple in TRIPLES)
    (folder / TRIPLES_FILE).write_text(triples)
    return folder


def read(repository: Path, **options: Any) -> ParallelCorpus:
    root = repository.parents[1]
    return mmarco.read("m", str(root / "cache"), **{"languages": ["en", "de"], "root": str(root), **options})


def test_distinct_pairs_become_examples_with_the_negatives_of_their_triples(repository: Path) -> None:
    corpus = read(repository)
    assert corpus.languages == ("de", "en")
    assert corpus.example_ids(range(3)) == ["10-1", "20-3", "20-6"]
    texts = corpus.fetch(range(3), ["en"] * 3, ["en"] * 3, negatives=9)
    assert texts.questions == ['a "quoted', "NA", "NA"], "text is text, whatever it looks like"
    assert texts.passages == ["passage 1", "passage 3", "passage 6"]
    assert texts.negatives == [
        ["passage 2", "passage 7"],
        ["passage 5", "passage 4", "passage 0"],
        ["passage 2"],
    ]
    assert texts.question_groups.tolist() == [0, 1, 1]
    german = corpus.fetch([0, 1], ["de", "en"], ["de", "de"], negatives=2)
    assert german.questions == ["Frage 10", "NA"]
    assert german.negatives == [["Text 2", "Text 7"], ["Text 5", "Text 0"]], "passage 4 is not in German"


def test_coverage_knows_what_a_language_lacks(repository: Path) -> None:
    coverage = read(repository).coverage(["de", "en"])
    assert coverage.codes is not None
    assert coverage.patterns[coverage.codes].tolist() == [[3, 3], [2, 3], [2, 3]]


def test_only_so_many_negatives_are_kept_and_unused_texts_are_not_stored(repository: Path) -> None:
    corpus = read(repository, negatives=1)
    assert corpus.fetch(range(3), ["en"] * 3, ["en"] * 3, negatives=9).negatives == [
        ["passage 2"],
        ["passage 5"],
        ["passage 2"],
    ]
    assert corpus._tables.passages.strings(["id"] * 5, np.arange(5)) == ["1", "2", "3", "5", "6"]
    assert corpus._tables.questions.strings(["id"] * 2, np.arange(2)) == ["10", "20"]
    assert read(repository, negatives=0).fetch([0], ["en"], ["en"], negatives=5).negatives == [[]]


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        (TRIPLES_FILE, b"10\t1\t2\n10\t1\n", r"small.tsv:2: expected 3 integers between tabs, found b'10\\t1"),
        (TRIPLES_FILE, b"10\t1\t2\n10\t1\tx\n", r"small.tsv:2: expected 3 integers"),
        (TRIPLES_FILE, b"10\t1\t99999999999\n", r"small.tsv:1: expected 3 integers"),
        (TRIPLES_FILE, b"", r"small.tsv: the file is empty"),
        (TRIPLES_FILE, b"10\t1\t77\n", r"german_collection.tsv: here and in every other language, id 77, named by the"),
        (GERMAN, b"1\tText\n1\tText\n", r"german_collection.tsv:2: id 1 was used before, in line 1"),
        (GERMAN, b"one\tText\n", r"german_collection.tsv:1: expected an integer, a tab and a text"),
        (GERMAN, b"0\tx\n1\tone\ttwo\n", r"german_collection.tsv:2: expected one tab"),
        (GERMAN, b"0\tx\n1\tT\xe4xt\n", r"german_collection.tsv:2: not UTF-8"),
        (GERMAN, b"0\tx\n1\t \n", r"german_collection.tsv:2: the text is empty"),
        (GERMAN, b"", r"german_collection.tsv: the file is empty"),
    ],
)
def test_a_malformed_file_is_named_with_line_and_fault(repository: Path, file: str, content: bytes, fault: str) -> None:
    (repository / file).write_bytes(content)
    with pytest.raises(InputError, match=fault):
        read(repository)
    assert [path.name for path in (repository.parents[1] / "cache").iterdir()] == [storage.LOCKS]


def test_a_missing_file_and_unknown_choices_are_named(repository: Path) -> None:
    with pytest.raises(ValueError, match="mmarco has no th, tr; it has ar, de, en"):
        read(repository, languages=["en", "tr", "th"])
    with pytest.raises(ValueError, match="negatives is -1"):
        read(repository, negatives=-1)
    with pytest.raises(InputError, match=r"french_collection.tsv: there is no such file"):
        read(repository, languages=["fr"])
    with pytest.raises(UnreachableError, match=r"unicamp-dl/mmarco .*experiment=quickstart"):
        mmarco.read("m", str(repository / "cache"), root=None)
