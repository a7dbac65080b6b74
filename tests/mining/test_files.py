"""The mined file: what training reads, and where it comes from."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers import parallel_jsonl
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.mining.mined_files import provenance_of, write_mined
from hybrid_ir.mining.negatives import Mined
from tests.data.examples import example

RECORDS = [
    example("a", {"de": "Frage a", "en": "question a"}, {"de": "Antwort a", "en": "answer a"}, {"en": "was there"}),
    example("b", {"en": "question b"}, {"en": "answer b"}),
]


@pytest.fixture
def corpus(tmp_path: Path) -> ParallelCorpus:
    return build_corpus("two", RECORDS, tmp_path / "cache", "mark")


def rows(corpus: ParallelCorpus) -> dict[str, int]:
    contents = corpus.contents("passage")
    return {text: row for row in range(len(contents)) for text in contents.texts([row])[0].text.values()}


@pytest.mark.parametrize("keep", [False, True])
def test_the_file_is_the_corpus_with_its_negatives(corpus: ParallelCorpus, tmp_path: Path, keep: bool) -> None:
    row, path = rows(corpus), tmp_path / "out" / "mined.jsonl"
    found = Mined([[(0.9, "en", row["answer b"])], [(0.8, "de", row["Antwort a"]), (0.7, "en", row["was there"])]])
    write_mined(path, corpus, found, keep, {"counts": found.counts})
    read = list(parallel_jsonl.examples(path, []))
    for record, source in zip(read, RECORDS, strict=True):
        assert (record.id, record.question, record.passage) == (source.id, source.question, source.passage)
    negatives = [[dict(negative.text) for negative in record.negatives] for record in read]
    kept = [{"en": "was there"}] if keep else []
    assert negatives == [[{"en": "answer b"}, *kept], [{"de": "Antwort a"}, {"en": "was there"}]]
    note = json.loads(provenance_of(path).read_text())
    assert note["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and note["examples"] == 2


def test_nothing_is_left_of_a_file_that_was_not_finished(corpus: ParallelCorpus, tmp_path: Path) -> None:
    path = tmp_path / "out" / "mined.jsonl"
    with pytest.raises(KeyError):
        write_mined(path, corpus, Mined([[], [(0.9, "fr", 0)]], Counter()), False, {})
    assert list(path.parent.iterdir()) == []
