"""The reader of parallel JSON lines: what it accepts, and the file, line and fault of what it does not."""

import json
from pathlib import Path

from hybrid_ir.data.readers import parallel_jsonl

LINE = '{"id": "1", "question": {"en": "Where?"}, "passage": {"de": "Hier.", "en": "Here."}}\n'


def test_examples_are_read_with_their_negatives(tmp_path: Path) -> None:
    second = {"id": "2", "question": {"de": "Wo?"}, "passage": {"zh-Hans": "这里"}, "negatives": [{"en": "There."}]}
    file = tmp_path / "own.jsonl"
    file.write_text(LINE + json.dumps(second), encoding="utf-8")
    corpus = parallel_jsonl.read("own", str(file), str(tmp_path / "cache"))
    assert corpus.example_ids([0, 1]) == ["1", "2"]
    assert corpus.languages == ("de", "en", "zh-Hans")
    texts = corpus.fetch([0, 1], ["en", "de"], ["de", "zh-Hans"], negatives=2)
    assert (texts.questions, texts.passages) == (["Where?", "Wo?"], ["Hier.", "这里"])
    assert texts.negatives == [[], []], "the negative exists only in English"
    file.write_text(LINE.replace('"1"', '"7"'))
    assert parallel_jsonl.read("own", str(file), str(tmp_path / "cache")).example_ids([0]) == ["7"]


def test_belebele_is_read_whole(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "belebele" / "parallel_qa.jsonl"
    corpus = parallel_jsonl.read("belebele", str(path), str(tmp_path))
    assert (len(corpus), len(corpus.languages), len(corpus._tables.passages)) == (900, 21, 488)
    coverage = corpus.coverage(["de", "en"])
    assert coverage.patterns.tolist() == [[3, 3]], "every question is in both, every passage too"
    records = [json.loads(line) for line in path.open(encoding="utf-8")]
    texts = corpus.fetch(range(900), ["de"] * 900, ["sw"] * 900)
    assert texts.questions == [record["question"]["de"] for record in records]
    assert texts.passages == [record["passage"]["sw"] for record in records]
