"""SQuAD-family files: what is read, and errors that name file and place."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.squad_file import Answer, Paragraph, Place, Question, read_squad, validate_row

CONTEXT = "Ada wrote it. Then · Alan read it."
FILE: dict[str, Any] = {
    "version": "1.1",
    "data": [
        {"title": "empty", "paragraphs": []},
        {
            "title": "code",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "sentences": ["Ada wrote it.", "Then", "Alan reads it."],
                    "sentence_breaks": [[0, 13], [14, 18], [21, 34]],
                    "qas": [
                        {"id": "a", "question": "Who wrote?", "answers": [{"answer_start": 0, "text": "Ada"}]},
                        {
                            "id": "b",
                            "question": "Who read?",
                            "answers": [{"answer_start": 21, "text": "Alan"}, {"answer_start": 0, "text": "Ada"}],
                        },
                    ],
                }
            ],
        },
    ],
}


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_paragraphs_and_questions_are_read_in_order(tmp_path: Path) -> None:
    file = read_squad(write(tmp_path / "en.json", FILE))
    breaks = ((0, 13), (14, 18), (21, 34))
    assert file.paragraphs == (Paragraph(1, 0, CONTEXT, ("Ada wrote it.", "Then", "Alan reads it."), breaks),)
    assert file.questions == (
        Question("a", "Who wrote?", 0, (Answer(0, "Ada"),), 0),
        Question("b", "Who read?", 0, (Answer(21, "Alan"), Answer(0, "Ada")), 2),
    )


def test_the_relevant_sentence_is_the_one_where_the_first_answer_starts(tmp_path: Path) -> None:
    content = copy.deepcopy(FILE)
    content["data"][1]["paragraphs"][0]["qas"][0]["answers"] = [{"answer_start": 10, "text": "it. Then · Alan"}]
    assert read_squad(write(tmp_path / "en.json", content)).questions[0].sentence == 0


def test_files_without_sentences_are_read(tmp_path: Path) -> None:
    content = copy.deepcopy(FILE)
    for key in ("sentences", "sentence_breaks"):
        del content["data"][1]["paragraphs"][0][key]
    file = read_squad(write(tmp_path / "en.json", content))
    assert file.paragraphs[0].sentences is None and [question.sentence for question in file.questions] == [None, None]


PARAGRAPH = "data[1].paragraphs[0]"


def change(*steps: Any, to: Any) -> Callable[[Any], None]:
    def apply(content: Any) -> None:
        node = content["data"][1]["paragraphs"][0]
        for step in steps[:-1]:
            node = node[step]
        if to is None:
            del node[steps[-1]]
        else:
            node[steps[-1]] = to

    return apply


ANSWER = ("qas", 1, "answers", 0)


@pytest.mark.parametrize(
    ("damage", "where", "fault"),
    [
        (change("context", to=None), PARAGRAPH, "'context' is missing; there is 'sentences', 'sentence_breaks', 'qas'"),
        (change("context", to=7), PARAGRAPH, "'context' must be a text, not 7"),
        (change("qas", to={}), PARAGRAPH, "'qas' must be a list, not {}"),
        (change("qas", 1, to="x"), f"{PARAGRAPH}.qas[1]", "expected an object with 'id', found 'x'"),
        (change("qas", 1, "id", to="a"), f"{PARAGRAPH}.qas[1]", f"id 'a' occurs twice, first at {PARAGRAPH}.qas[0]"),
        (change("qas", 1, "id", to=" "), f"{PARAGRAPH}.qas[1]", "the question id is empty"),
        (change("qas", 1, "question", to=" "), f"{PARAGRAPH}.qas[1]", "the question is empty"),
        (change("qas", 1, "answers", to=[]), f"{PARAGRAPH}.qas[1]", "the question has no answer"),
        (change(*ANSWER, "text", to=""), f"{PARAGRAPH}.qas[1].answers[0]", "the answer is empty"),
        (change(*ANSWER, "answer_start", to=True), f"{PARAGRAPH}.qas[1].answers[0]", "a whole number, not True"),
        (change(*ANSWER, "answer_start", to=34), f"{PARAGRAPH}.qas[1].answers[0]",
         "answer_start 34 lies outside the context of 34 characters"),
        (change(*ANSWER, "answer_start", to=-1), f"{PARAGRAPH}.qas[1].answers[0]", "answer_start -1 lies outside"),
        (change(*ANSWER, "answer_start", to=20), f"{PARAGRAPH}.qas[1].answers[0]",
         "the answer is 'Alan', but the context has ' Ala' at answer_start 20"),
        (change("qas", 1, "answers", 0, to={"answer_start": 19, "text": "· Alan"}), f"{PARAGRAPH}.qas[1]",
         "the first answer starts at 19, which lies in no sentence"),
        (change("sentence_breaks", to=None), PARAGRAPH, "there are sentences but no sentence_breaks"),
        (change("sentences", to=["one"]), PARAGRAPH, "1 sentences for 3 sentence_breaks"),
        (change("sentences", 1, to=" "), f"{PARAGRAPH}.sentences[1]", "a sentence is empty"),
        (change("sentence_breaks", 1, to=[14]), f"{PARAGRAPH}.sentence_breaks[1]", "expected [start, end], found [14]"),
        (change("sentence_breaks", 1, to=[12, 18]), f"{PARAGRAPH}.sentence_breaks[1]",
         "[12, 18] starts before the end 13 of the sentence before it"),
        (change("sentence_breaks", 2, to=[21, 35]), f"{PARAGRAPH}.sentence_breaks[2]", "no range within the context"),
        (change("sentence_breaks", 1, to=[18, 18]), f"{PARAGRAPH}.sentence_breaks[1]", "no range within"),
    ],
)  # fmt: skip
def test_faults_name_file_and_place(tmp_path: Path, damage: Callable[[Any], None], where: str, fault: str) -> None:
    content = copy.deepcopy(FILE)
    damage(content)
    path = write(tmp_path / "en.json", content)
    with pytest.raises(InputError) as error:
        read_squad(path)
    assert str(error.value).startswith(f"{path} at {where}: ") and fault in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data":\n[}', ":2: not JSON"),
        ("[]", ": expected an object with 'data', found []"),
        ({"data": [3]}, " at data[0]: expected an object with 'paragraphs', found 3"),
        ({"data": [{"paragraphs": [{"context": " ", "qas": [FILE["data"][1]["paragraphs"][0]["qas"][0]]}]}]},
         " at data[0].paragraphs[0].qas[0]: the context is empty"),
    ],
)  # fmt: skip
def test_files_of_another_form_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    path = write(tmp_path / "en.json", content)
    with pytest.raises(InputError) as error:
        read_squad(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_bytes_that_are_not_utf8_and_absent_files(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_bytes(b'{"data": "\xff"}')
    with pytest.raises(InputError, match=r"not UTF-8: .* at byte 10"):
        read_squad(tmp_path / "en.json")
    with pytest.raises(InputError, match=r"absent\.json: cannot be read: No such file"):
        read_squad(tmp_path / "absent.json")


def test_rows_of_the_hub_form_are_validated_too() -> None:
    place = Place("train.parquet", "row 3")
    answers = {"answer_start": [4, 0], "text": ["wrote", "Ada"]}
    assert validate_row(place, CONTEXT, "Who?", answers) == (Answer(4, "wrote"), Answer(0, "Ada"))
    with pytest.raises(InputError, match=r"train\.parquet at row 3: 1 answer offsets for 2 answer texts"):
        validate_row(place, CONTEXT, "Who?", answers | {"answer_start": [4]})
    with pytest.raises(InputError, match=r"row 3\.answers\[1\]: the answer is 'Ada', but the context has 'da '"):
        validate_row(place, CONTEXT, "Who?", answers | {"answer_start": [4, 1]})


def test_all_official_files_are_sound(shared_data: Path) -> None:
    paths = sorted(shared_data.glob("*_r/*.json"))
    assert len(paths) == 18
    for path in paths:
        file = read_squad(path)
        assert all(question.sentence is not None for question in file.questions), path
