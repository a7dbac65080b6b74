"""Files of the SQuAD family: paragraphs, questions, answers and marked sentences."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.squad_file import Answer, FilePosition, Paragraph, Question, read_squad, validate_row

CONTEXT = "Ada wrote it. Then · Alan read it."
ADA, ALAN = {"answer_start": 0, "text": "Ada"}, {"answer_start": 21, "text": "Alan"}
PARAGRAPH = {
    "context": CONTEXT,
    "sentences": ["Ada wrote it.", "Then", "Alan reads it."],
    "sentence_breaks": [[0, 13], [14, 18], [21, 34]],
    "qas": [
        {"id": "a", "question": "Who wrote?", "answers": [ADA]},
        {"id": "b", "question": "Who read?", "answers": [ALAN, ADA]},
    ],
}
ARTICLES = [{"title": "empty", "paragraphs": []}, {"title": "code", "paragraphs": [PARAGRAPH]}]
FILE: dict[str, Any] = {"version": "1.1", "data": ARTICLES}


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_byte_order_mark_and_ids_that_are_numbers_are_read(tmp_path: Path) -> None:
    numbered = copy.deepcopy(FILE)
    for key, question in enumerate(numbered["data"][1]["paragraphs"][0]["qas"]):
        question["id"] = key
    path = write(tmp_path / "en.json", numbered)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [question.id for question in read_squad(path).questions] == ["0", "1"]


def test_paragraphs_and_questions_are_read_in_order(tmp_path: Path) -> None:
    file = read_squad(write(tmp_path / "en.json", FILE))
    breaks = ((0, 13), (14, 18), (21, 34))
    assert file.paragraphs == (Paragraph(1, 0, CONTEXT, ("Ada wrote it.", "Then", "Alan reads it."), breaks),)
    assert file.questions == (
        Question("a", "Who wrote?", 0, (Answer(0, "Ada"),), 0),
        Question("b", "Who read?", 0, (Answer(21, "Alan"), Answer(0, "Ada")), 2),
    )
    content = copy.deepcopy(FILE)
    paragraph = content["data"][1]["paragraphs"][0]
    paragraph["qas"][0]["answers"] = [{"answer_start": 10, "text": "it. Then · Alan"}]
    file = read_squad(write(tmp_path / "en.json", content))
    assert file.questions[0].sentence == 0, "the relevant sentence is the one where the first answer starts"
    del paragraph["sentences"], paragraph["sentence_breaks"]
    file = read_squad(write(tmp_path / "en.json", content))
    assert file.paragraphs[0].sentences is None and [question.sentence for question in file.questions] == [None, None]


def test_rows_of_the_hub_form_are_validated_too() -> None:
    position = FilePosition("train.parquet", "row 3")
    answers = {"answer_start": [4, 0], "text": ["wrote", "Ada"]}
    assert validate_row(position, CONTEXT, "Who?", answers) == (Answer(4, "wrote"), Answer(0, "Ada"))
    with pytest.raises(InputError, match=r"train\.parquet at row 3: 1 answer offsets for 2 answer texts"):
        validate_row(position, CONTEXT, "Who?", answers | {"answer_start": [4]})
    with pytest.raises(InputError, match=r"row 3\.answers\[1\]: the answer is 'Ada', but the context has 'da '"):
        validate_row(position, CONTEXT, "Who?", answers | {"answer_start": [4, 1]})
