"""Contract of all readers: bad input is refused with its file, position and fault, and nothing is built."""

import copy
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hybrid_ir.data.readers import mmarco, parallel_jsonl, squad, squad_xtreme
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.file_lock import LOCKS
from hybrid_ir.sources.formats.passages import LONGEST_ID, read_passages
from tests.data.malformed import line
from tests.data.readers.test_mmarco import GERMAN, TRIPLES_FILE, write_repository
from tests.data.readers.test_squad_xtreme import row, translation, write_tables
from tests.data.readers.test_squad_xtreme import write_table as write_translations
from tests.search.corpora import rows, write_jsonl, write_parquet
from tests.sources.test_squad import FILE, PARAGRAPH

READERS: dict[str, Callable[[Path, str], Any]] = {
    "parallel_jsonl": lambda folder, cache: parallel_jsonl.read("own", str(next(folder.glob("x*"))), cache),
    "squad": lambda folder, cache: squad.read("own", {"en": str(folder / "en.json")}, cache),
    "mmarco": lambda folder, cache: mmarco.read("own", cache, ["en", "de"], str(folder)),
    "squad_xtreme": lambda folder, cache: squad_xtreme.read("own", cache, ["en", "de", "th"], str(folder)),
    "strict": lambda folder, cache: squad_xtreme.read("own", cache, ["de"], str(folder), on_invalid="error"),
    "passages": lambda folder, _: list(read_passages(sorted(folder.glob("a.*")))),
}


class Bad(NamedTuple):
    """A reader, what writes its bad input into a folder, and the end of the message from the file's name on."""

    reader: str
    write: Callable[[Path], Any]
    message: str


def content(reader: str, name: str, raw: bytes, message: str) -> Bad:
    return Bad(reader, lambda folder: (folder / name).write_bytes(raw), f"{name}{message}")


def changed(steps: Sequence[Any], to: Any, message: str) -> Bad:
    """The SQuAD file with another value at `steps` of its paragraph; `...` leaves the key out."""

    def write(folder: Path) -> None:
        file = copy.deepcopy(FILE)
        node = file["data"][1]["paragraphs"][0]
        for step in steps[:-1]:
            node = node[step]
        node[steps[-1]] = to
        if to is ...:
            del node[steps[-1]]
        (folder / "en.json").write_text(json.dumps(file), encoding="utf-8")

    return Bad("squad", write, f"en.json at data[1].paragraphs[0]{message}")


def triples(raw: bytes, message: str, file: str = TRIPLES_FILE) -> Bad:
    def write(folder: Path) -> None:
        write_repository(folder)
        (folder / "unicamp-dl/mmarco" / file).write_bytes(raw)

    return Bad("mmarco", write, message)


def table(change: Callable[[Path], Any], message: str, reader: str = "squad_xtreme") -> Bad:
    def write(folder: Path) -> None:
        write_tables(folder)
        change(translation(folder, "de"))

    return Bad(reader, write, message)


def translated(records: list[dict[str, Any]], message: str, reader: str = "squad_xtreme") -> Bad:
    return table(lambda path: write_translations(path, records), f"translate_train.parquet{message}", reader)


def record(message: str, **changes: Any) -> Bad:
    values = {key: value for key, value in {"id": "2", "text": "a", **changes}.items() if value is not ...}
    return Bad("passages", lambda folder: write_jsonl(folder / "a.jsonl", [GOOD, values]), f"a.jsonl:2: {message}")


def parquet(records: list[dict[str, Any]], message: str, cut: int | None = None) -> Bad:
    def write(folder: Path) -> None:
        path = write_parquet(folder / "a.parquet", records)
        path.write_bytes(path.read_bytes()[:cut])

    return Bad("passages", write, message)


GOOD = {"id": "1", "text": "a"}
QA, ANSWER = ("qas", 1), ("qas", 1, "answers", 0)
BLANK = {"data": [{"paragraphs": [{"context": " ", "qas": PARAGRAPH["qas"]}]}]}

SQUAD = [
    changed(["context"], ..., ": 'context' is missing; there is 'sentences', 'sentence_breaks', 'qas'"),
    changed(["context"], 7, ": 'context' must be a string, got 7"),
    changed(["qas"], {}, ": 'qas' must be a list, got {}"),
    changed(QA, "x", ".qas[1]: expected an object with 'id', found 'x'"),
    changed([*QA, "id"], "a", ".qas[1]: question id 'a' occurs twice, first at data[1].paragraphs[0].qas[0]"),
    changed([*QA, "id"], " ", ".qas[1]: the question id is empty"),
    changed([*QA, "question"], " ", ".qas[1]: the question is empty"),
    changed([*QA, "answers"], [], ".qas[1]: the question has no answer"),
    changed([*ANSWER, "text"], "", ".qas[1].answers[0]: the answer is empty"),
    changed([*ANSWER, "answer_start"], True, ".qas[1].answers[0]: 'answer_start' must be an integer, got True"),
    changed([*ANSWER, "answer_start"], 34, ".qas[1].answers[0]: answer_start 34 is outside the context of 34 char"),
    changed([*ANSWER, "answer_start"], -1, ".qas[1].answers[0]: answer_start -1 is outside"),
    changed([*ANSWER, "answer_start"], 20, ".qas[1].answers[0]: the answer is 'Alan', but the context has ' Ala' at "),
    changed(ANSWER, {"answer_start": 19, "text": "· Alan"}, ".qas[1]: the first answer starts at 19, outside every "),
    changed(["sentence_breaks"], ..., ": 'sentences' needs 'sentence_breaks', which is missing"),
    changed(["sentences"], ["one"], ": 1 sentences for 3 sentence_breaks"),
    changed(["sentences", 1], " ", ".sentences[1]: a sentence is empty"),
    changed(["sentence_breaks", 1], [14], ".sentence_breaks[1]: expected [start, end], found [14]"),
    changed(["sentence_breaks", 1], [12, 18], ".sentence_breaks[1]: [12, 18] starts before the end 13 of the "),
    changed(["sentence_breaks", 2], [21, 35], ".sentence_breaks[2]: [21, 35] is not a range within the context"),
    changed(["sentence_breaks", 1], [18, 18], ".sentence_breaks[1]: [18, 18] is not a range within"),
    content("squad", "en.json", b'{"data":\n[}', ":2: not JSON"),
    content("squad", "en.json", b'{"data": "\xff"}', ": not UTF-8: invalid start byte at byte 10"),
    content("squad", "en.json", b"[]", ": expected an object with 'data', found []"),
    content("squad", "en.json", b'{"data": [3]}', " at data[0]: expected an object with 'paragraphs', found 3"),
    content("squad", "en.json", json.dumps(BLANK).encode(), " at data[0].paragraphs[0].qas[0]: the context is empty"),
    Bad("squad", lambda _: None, "en.json: there is no such file"),
]
MMARCO = [
    triples(b"10\t1\t2\n10\t1\n", "small.tsv:2: expected 3 tab-separated integers, found b'10\\t1"),
    triples(b"10\t1\t2\n10\t1\tx\n", "small.tsv:2: expected 3 tab-separated integers"),
    triples(b"10\t1\t99999999999\n", "small.tsv:1: expected 3 tab-separated integers"),
    triples(b"", "small.tsv: the file is empty"),
    triples(b"10\t1\t77\n", "german_collection.tsv: id 77 of the triples is missing here and in every other language"),
    triples(b"1\tText\n1\tText\n", "german_collection.tsv:2: id 1 was used before, in line 1", GERMAN),
    triples(b"one\tText\n", "german_collection.tsv:1: expected an integer, a tab and a text", GERMAN),
    triples(b"0\tx\n1\tone\ttwo\n", "german_collection.tsv:2: expected one tab", GERMAN),
    triples(b"0\tx\n1\tT\xe4xt\n", "german_collection.tsv:2: not UTF-8", GERMAN),
    triples(b"0\tx\n1\t \n", "german_collection.tsv:2: the text is empty", GERMAN),
    triples(b"", "german_collection.tsv: the file is empty", GERMAN),
]
TABLES = [
    translated([row("de", "1"), row("de", "1")], " at row 1: question id '1' occurs twice"),
    translated([row("de", "1"), row("de", "2", start=3)], " at row 1.answers[0]: the answer is 'Sonne', but", "strict"),
    table(
        lambda path: write_translations(path, [row("de", "1")], ["id", "context", "question"]),
        "translate_train.parquet: the table lacks the column 'answers'; it has id, context, question",
    ),
    table(lambda path: path.write_bytes(b"PAR1 but"), "translate_train.parquet: cannot be read as a Parquet table"),
    table(Path.unlink, "xquad_xtreme/de: no training table (.parquet) for de; languages found: en, th"),
]
PASSAGES = [
    record("'id' is missing; there is 'text'", id=...),
    record("'text' is missing; there is 'id'", text=...),
    record("the id is float, not a string", id=7.5),
    record("the id is empty", id=""),
    record("the text is empty", text="  "),
    record("the text is list, not a string", text=["a"]),
    record("the text has a NUL character at position 1", text="a\0"),
    record("the title is int, not a string", title=3),
    record("language code 'd e' must be made of letters", language="d e"),
    record("language code 1 must be made of letters", language=1),
    record(f"the id must have at most {LONGEST_ID} bytes, got {2 * LONGEST_ID}", id="ä" * LONGEST_ID),
    content("passages", "a.jsonl.gz", gzip.compress(b'{"id": "1", "text": "a"}\n{'), ":2: not JSON"),
    content("passages", "a.jsonl", b'{"id": "\xe4"}', ":1: not UTF-8: invalid continuation byte at byte 8 of the line"),
    parquet(rows(9), "a.parquet: not a Parquet file, or damaged after row 0", cut=-20),
    parquet([{"id": "1", "body": "a"}], "a.parquet: the columns id and text are required; found id, body"),
    parquet([GOOD, {"id": "2", "text": None}], "a.parquet:2: the text is empty"),
    parquet([{"id": 1.5, "text": "a"}], "a.parquet:1: the id is float, not a string"),
    parquet([*rows(2500), {"id": "x", "text": " "}], "a.parquet:2501: the text is empty"),  # in the third portion
]
TWICE = b'{"id": "2", "question": {"en": "q", "en": "r"}, "passage": {"en": "p"}}'
JSON_LINES = [  # `malformed.ERRORS` has the others
    content("parallel_jsonl", "x.jsonl", line(negatives=[{"en": ""}]), ":1: 'negatives[0].en' is empty"),
    content("parallel_jsonl", "x.jsonl", line() + TWICE, ":2: invalid JSON: the key 'en' occurs twice in one object"),
    Bad("parallel_jsonl", lambda folder: (folder / "x").mkdir(), "x: must be a file of JSON lines, found a folder"),
]


@pytest.mark.parametrize("bad", [*SQUAD, *MMARCO, *TABLES, *PASSAGES, *JSON_LINES], ids=lambda bad: bad.message[:60])
def test_bad_input_is_named_with_file_position_and_fault(bad: Bad, tmp_path: Path) -> None:
    source, cache = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    bad.write(source)
    with pytest.raises(InputError) as refused:
        READERS[bad.reader](source, str(cache))
    assert str(refused.value).startswith(str(source)) and bad.message in str(refused.value)
    assert not cache.exists() or [path.name for path in cache.iterdir()] == [LOCKS]
