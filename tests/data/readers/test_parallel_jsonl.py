"""The reader of parallel JSON lines: what it accepts, and the file, line and fault of what it does not."""

import gzip
import json
from pathlib import Path

import pytest

from hybrid_ir.data.readers import parallel_jsonl
from hybrid_ir.data.store import storage
from hybrid_ir.sources.errors import InputError

LINE = '{"id": "1", "question": {"en": "Where?"}, "passage": {"de": "Hier.", "en": "Here."}}\n'


def test_examples_are_read_with_their_negatives(tmp_path: Path) -> None:
    second = {
        "id": "2",
        "question": {"de": "Wo?"},
        "passage": {"zh-Hans": "这里"},
        "negatives": [{"en": "There."}, {"en": "Nowhere."}],
    }
    file = tmp_path / "own.jsonl"
    file.write_text(LINE + json.dumps(second), encoding="utf-8")
    corpus = parallel_jsonl.read("own", str(file), str(tmp_path / "cache"))
    assert corpus.example_ids([0, 1]) == ["1", "2"]
    assert corpus.languages == ("de", "en", "zh-Hans")
    texts = corpus.fetch([0, 1], ["en", "de"], ["de", "zh-Hans"], negatives=2)
    assert (texts.questions, texts.passages) == (["Where?", "Wo?"], ["Hier.", "这里"])
    assert texts.negatives == [[], []], "the negatives exist in English alone"


@pytest.mark.parametrize("packed", [False, True])
def test_a_byte_order_mark_and_compression_are_no_obstacle(tmp_path: Path, packed: bool) -> None:
    content = b"\xef\xbb\xbf" + LINE.encode()
    file = tmp_path / ("own.jsonl.gz" if packed else "own.jsonl")
    file.write_bytes(gzip.compress(content) if packed else content)
    assert parallel_jsonl.read("own", str(file), str(tmp_path)).example_ids([0]) == ["1"]


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(LINE)
    parallel_jsonl.read("own", str(file), str(tmp_path))
    file.write_text(LINE.replace('"1"', '"7"'))
    assert parallel_jsonl.read("own", str(file), str(tmp_path)).example_ids([0]) == ["7"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"id": "2", "question"', "not JSON: Expecting ':' delimiter"),
        ("", "an empty line"),
        ("[1, 2]", "a line is one JSON object, this is list"),
        ("[" * 100_000, "not usable JSON"),
        (
            '{"id": "2", "question": {"en": "q"}, "pasage": {"en": "p"}}',
            "the unknown key 'pasage'; keys are id, question",
        ),
        (
            '{"id": "2", "question": {"en": "q"}}',
            "the example lacks the key 'passage'; keys are id, question, passage and",
        ),
        ('{"id": 2, "question": {"en": "q"}, "passage": {"en": "p"}}', "'id' is int, not a string"),
        ('{"id": "2", "question": "q", "passage": {"en": "p"}}', "'question' must be a non-empty object .* not 'q'"),
        ('{"id": "2", "question": {}, "passage": {"en": "p"}}', "'question' must be a non-empty object"),
        ('{"id": "2", "question": {"en": ["q"]}, "passage": {"en": "p"}}', "'question.en' is list, not a string"),
        ('{"id": "2", "question": {"en": "q"}, "passage": {"en": "  "}}', "'passage.en' is empty"),
        (
            '{"id": "2", "question": {"en": "q\\u0000"}, "passage": {"en": "p"}}',
            "'question.en' has a NUL .* position 1",
        ),
        ('{"id": "2", "question": {"en": "\\ud83d"}, "passage": {"en": "p"}}', "'question.en' has a lone surrogate"),
        ('{"id": "2", "question": {"": "q"}, "passage": {"en": "p"}}', "in 'question', the language code '' is not of"),
        ('{"id": "2", "question": {"en": "q", "en": "r"}, "passage": {"en": "p"}}', "the key 'en' occurs twice"),
        (
            '{"id": "2", "question": {"en": "q"}, "passage": {"en": "p"}, "negatives": {}}',
            "'negatives' is dict, not a list",
        ),
        (
            '{"id": "2", "question": {"en": "q"}, "passage": {"en": "p"}, "negatives": [{"en": "n"}, {"en": ""}]}',
            r"'negatives\[1\].en' is empty",
        ),
        (LINE, "id '1' was used before, in line 1"),
    ],
)
def test_a_faulty_line_is_named_with_its_fault(tmp_path: Path, line: str, fault: str) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(LINE + line + "\n")
    with pytest.raises(InputError, match=rf"own.jsonl:2: .*{fault}"):
        parallel_jsonl.read("own", str(file), str(tmp_path / "cache"))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [storage.LOCKS]


def test_bad_encoding_a_damaged_archive_and_a_missing_or_empty_file_are_named(tmp_path: Path) -> None:
    def fault_of(name: str, content: bytes | None) -> str:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as error:
            parallel_jsonl.read("own", str(tmp_path / name), str(tmp_path))
        return str(error.value).removeprefix(f"{tmp_path}/")

    latin = LINE.replace("Hier", "Hör").encode("latin-1")
    assert fault_of("latin.jsonl", LINE.encode() + latin).startswith(
        "latin.jsonl:2: not UTF-8: invalid start byte at byte 62"
    )
    assert "the compressed file is damaged" in fault_of("cut.jsonl.gz", gzip.compress(LINE.encode())[:-8])
    assert "the compressed file is damaged" in fault_of("plain.jsonl.gz", LINE.encode())
    assert fault_of("none.jsonl", None) == "none.jsonl: there is no such file"
    assert fault_of("empty.jsonl", b"") == "empty.jsonl: there is no example in the file"


def test_belebele_is_read_whole(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "belebele" / "parallel_qa.jsonl"
    corpus = parallel_jsonl.read("belebele", str(path), str(tmp_path))
    assert len(corpus) == 900
    assert len(corpus.languages) == 21
    assert len(corpus._tables.passages) == 488
    coverage = corpus.coverage(["de", "en"])
    assert coverage.patterns.tolist() == [[3, 3]], "every question is in both, every passage too"
    records = [json.loads(line) for line in path.open(encoding="utf-8")]
    texts = corpus.fetch(range(900), ["de"] * 900, ["sw"] * 900)
    assert texts.questions == [record["question"]["de"] for record in records]
    assert texts.passages == [record["passage"]["sw"] for record in records]
