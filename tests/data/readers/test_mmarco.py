"""The reader of mMARCO, on tiny files laid out as on the hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers import mmarco
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.hub.fetch import UnreachableError

PASSAGES = {number: f"passage {number}" for number in range(8)}
QUERIES = {20: "NA", 10: 'a "quoted', 30: "null"}
TRIPLES_FILE, GERMAN = "data/triples.train.ids.small.tsv", "data/google/collections/german_collection.tsv"
TRIPLES = [(20, 3, 5), (10, 1, 2), (20, 3, 4), (10, 1, 7), (20, 6, 2), (20, 3, 0)]


def write_tsv(path: Path, rows: Mapping[int, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}\t{text}\n" for key, text in rows.items()), encoding="utf-8")


def write_repository(root: Path) -> Path:
    """English in order, German in reverse order with one query and one passage missing."""
    folder = root / "unicamp-dl" / "mmarco"
    german = {key: f"Text {key}" for key in reversed(PASSAGES) if key != 4}
    write_tsv(folder / "data/google/collections/english_collection.tsv", PASSAGES)
    write_tsv(folder / GERMAN, german)
    write_tsv(folder / "data/google/queries/train/english_queries.train.tsv", QUERIES)
    write_tsv(folder / "data/google/queries/train/german_queries.train.tsv", {10: "Frage 10"})
    triples = "".join("\t".join(map(str, triple)) + "\n" for triple in TRIPLES)
    (folder / TRIPLES_FILE).write_text(triples)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_repository(tmp_path)


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
    assert texts.negatives == [["passage 2", "passage 7"], ["passage 5", "passage 4", "passage 0"], ["passage 2"]]
    assert texts.question_groups.tolist() == [0, 1, 1]
    german = corpus.fetch([0, 1], ["de", "en"], ["de", "de"], negatives=2)
    assert german.questions == ["Frage 10", "NA"]
    coverage = corpus.coverage(["de", "en"])
    assert coverage.codes is not None and coverage.patterns[coverage.codes].tolist() == [[3, 3], [2, 3], [2, 3]]
    assert german.negatives == [["Text 2", "Text 7"], ["Text 5", "Text 0"]], "passage 4 is not in German"


def test_only_so_many_negatives_are_kept_and_unused_texts_are_not_stored(repository: Path) -> None:
    corpus = read(repository, negatives=1)
    texts = corpus.fetch(range(3), ["en"] * 3, ["en"] * 3, negatives=9)
    assert texts.negatives == [["passage 2"], ["passage 5"], ["passage 2"]]
    assert corpus._tables.passages.strings(["id"] * 5, np.arange(5)) == ["1", "2", "3", "5", "6"]
    assert corpus._tables.questions.strings(["id"] * 2, np.arange(2)) == ["10", "20"]
    assert read(repository, negatives=0).fetch([0], ["en"], ["en"], negatives=5).negatives == [[]]


def test_the_declared_size_is_the_number_of_triples(repository: Path) -> None:
    pairs, triples = read(repository), read(repository, size="triples")
    assert pairs.coverage().declared is None and triples.coverage().declared == len(TRIPLES)
    restricted = triples.holdout(1, seed=0)[0].coverage(["de"])
    assert (restricted.size, restricted.declared, restricted.scale) == (2, 6, 3)
    assert len({corpus._tables.folder for corpus in (pairs, triples, read(repository, size="triples"))}) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"languages": ["en", "tr", "th"]}, ValueError, "mmarco has no th, tr; it has ar, de, en"),
        ({"negatives": -1}, ValueError, "`negatives` must be at least 0, got -1"),
        ({"size": "lines"}, ValueError, "`size` must be 'pairs' or 'triples', got 'lines'"),
        ({"languages": ["fr"]}, InputError, r"french_collection.tsv: there is no such file"),
        ({"languages": ["en"], "root": None}, UnreachableError, r"unicamp-dl/mmarco .*experiment=quickstart"),
    ],
)
def test_a_missing_file_and_unknown_choices_are_named(
    repository: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read(repository, **options)
