"""The three forms of what was found."""

import json
import re
from pathlib import Path

import pytest

from hybrid_ir.search.queries import Query
from hybrid_ir.search.rendering import as_json, as_table, as_trec, check_trec
from hybrid_ir.search.searcher import Hit
from tests.search.corpora import make, write_jsonl

HITS = [
    Hit(1, 0.5, 0.5, "de", "de:1", "Ulm [bold]", "Ulm ist\neine Stadt. " * 40),
    Hit(2, 0.25, 0.25, "zh", "zh:" + "9" * 40, "", "乌尔姆是一座城市。" * 20),
]
FOUND = [(Query("q1", "Wo liegt Ulm?", "de"), HITS), (Query("q2", "Where?"), HITS[:1])]


def test_a_table_shows_rank_score_language_id_title_and_the_beginning() -> None:
    first, second = as_table(FOUND, width=100)
    lines = first.splitlines()
    assert "q1: Wo liegt Ulm?" in lines[0] and second.startswith("q2: Where?")
    header, german, chinese = lines[2].split(), lines[4], lines[5]
    assert header == ["rank", "score", "language", "id", "title", "passage"]
    assert german.split()[:6] == ["1", "0.5000", "de", "de:1", "Ulm", "[bold]"] and "Ulm ist eine Stadt. Ulm" in german
    assert chinese.split()[:3] == ["2", "0.2500", "zh"] and "乌尔姆" in chinese and max(map(len, lines)) <= 100
    assert "title" not in "".join(as_table([(Query("q", "x"), HITS[1:])], width=100))


def test_json_lines_have_everything() -> None:
    lines = [json.loads(line) for line in as_json(FOUND)]
    assert [(line["id"], line["text"], line["language"]) for line in lines] == [
        ("q1", "Wo liegt Ulm?", "de"), ("q2", "Where?", None)
    ]  # fmt: skip
    assert Hit(**lines[0]["hits"][1]) == HITS[1]


def test_a_run_has_the_lines_of_trec() -> None:
    assert list(as_trec(FOUND))[2] == "q2 Q0 de:1 1 0.5 hybrid_ir\n"
    with pytest.raises(ValueError, match="must not be empty or contain white space, got 'a b'"):
        list(as_trec([(Query("a b", "x"), HITS)]))


def test_ids_that_no_run_can_hold_are_found_before_a_search(tmp_path: Path) -> None:
    passages = [{"id": "a", "text": "b", "language": "en"}, {"id": "Ulm\u00a0(Donau)", "text": "c", "language": "de"}]
    index = make(tmp_path / "index", write_jsonl(tmp_path / "corpus.jsonl", passages))
    check_trec([Query("q", "x")], index, ["en"])
    for query, language, word in (("q 1", "en", "q 1"), ("q", "de", "Ulm\\xa0(Donau)")):
        with pytest.raises(ValueError, match=re.escape(f"got '{word}'; rename it, or choose format=jsonl")):
            check_trec([Query(query, "x")], index, [language])
