"""Files of the SQuAD family: SQuAD 1.1, XQuAD, MLQA, and XQuAD-R and MLQA-R (LAReQA), which mark sentences.

All have the same JSON structure: `data` (articles) > `paragraphs` (`context`) > `qas` (`id`, `question`, `answers`).
LAReQA's files add `sentences` and `sentence_breaks`, their [start, end) character offsets, to each paragraph.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hybrid_ir.sources.errors import InputError, text_fault
from hybrid_ir.sources.json_file import read_json_value
from hybrid_ir.sources.records import as_id

T = TypeVar("T")
JSON_WORDS: dict[type, str] = {dict: "an object", list: "a list", str: "a string", int: "an integer"}


@dataclass(frozen=True, slots=True)
class FilePosition:
    """A position in a structured file, for error messages (`data[3].paragraphs[0]`, `row 17`)."""

    path: str | Path
    where: str = ""

    def at(self, step: str) -> "FilePosition":
        return FilePosition(self.path, f"{self.where}.{step}" if self.where else step)

    def fault(self, text: str) -> InputError:
        return InputError(self.path, text, where=self.where or None)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer span: `context[start:start + len(text)] == text`."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph with its sentences.

    Attributes:
        article: position of the article in the file, from 0.
        index: position of the paragraph in its article, from 0.
        context: the whole text.
        sentences: the sentences as published, or None if the file has none. A few differ by some characters from the
            part of the context that they come from.
        sentence_breaks: [start, end) of each sentence in `context`, ascending, without overlap; there may be gaps.
    """

    article: int
    index: int
    context: str
    sentences: tuple[str, ...] | None = None
    sentence_breaks: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a paragraph.

    Attributes:
        id: unique in the file; translations of a question share it across files.
        text: the question.
        paragraph: position in `SquadFile.paragraphs`.
        answers: at least one.
        sentence: position, among the paragraph's sentences, of the sentence in which the first answer STARTS (LAReQA's
            rule; the answer may extend beyond it), or None if the file has no sentences.
    """

    id: str
    text: str
    paragraph: int
    answers: tuple[Answer, ...]
    sentence: int | None


@dataclass(frozen=True, slots=True)
class SquadFile:
    """The paragraphs and questions of one file, in file order."""

    path: Path
    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Question, ...]


def read_squad(path: str | Path) -> SquadFile:
    """Read and check one file.

    Raises:
        InputError: the file is missing or not JSON (with the line), lacks a key or has a value of the wrong type; a
            text is empty; an answer is not at its offset; sentences overlap, leave the context or contain no start of a
            first answer; a question id occurs twice. Names the position (`data[3].paragraphs[0].qas[2]`).
    """
    path = Path(path)
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    seen: dict[str, FilePosition] = {}
    for number, article, article_position in _items(read_json_value(path), "data", FilePosition(path)):
        for index, node, position in _items(article, "paragraphs", article_position):
            paragraph = _paragraph(number, index, node, position)
            for _, qa, qa_position in _items(node, "qas", position):
                question = _question(len(paragraphs), paragraph, qa, qa_position)
                if question.id in seen:
                    first = seen[question.id].where
                    raise qa_position.fault(f"question id {question.id!r} occurs twice, first at {first}")
                seen[question.id] = qa_position
                questions.append(question)
            paragraphs.append(paragraph)
    return SquadFile(path, tuple(paragraphs), tuple(questions))


def validate_row(position: FilePosition, context: str, question: str, answers: Any) -> tuple[Answer, ...]:
    """Check one question with its context.

    Args:
        position: position of the row, for the error message.
        context: the paragraph.
        question: the question.
        answers: as in the JSON files, `[{"answer_start": 3, "text": "x"}, ...]`, or as in the hub's tables,
            `{"answer_start": [3, ...], "text": ["x", ...]}`.

    Returns:
        The answers, at least one.

    Raises:
        InputError: a text is empty, there is no answer, or an answer is not at its offset.
    """
    for name, text in (("context", context), ("question", question)):
        if fault := text_fault(text):
            raise position.fault(f"the {name} {fault}")
    if isinstance(answers, dict):
        starts, texts = _get(answers, "answer_start", list, position), _get(answers, "text", list, position)
        if len(starts) != len(texts):
            raise position.fault(f"{len(starts)} answer offsets for {len(texts)} answer texts")
        answers = [{"answer_start": start, "text": text} for start, text in zip(starts, texts, strict=True)]
    if not answers:
        raise position.fault("the question has no answer; unanswerable questions (SQuAD 2.0) must be removed first")
    if not isinstance(answers, list):
        raise position.fault(f"'answers' must be a list, got {answers!r:.40}")
    return tuple(_answer(context, node, position.at(f"answers[{index}]")) for index, node in enumerate(answers))


def _answer(context: str, node: Any, position: FilePosition) -> Answer:
    start, text = _get(node, "answer_start", int, position), _get(node, "text", str, position)
    if not text.strip():
        raise position.fault("the answer is empty")
    if not 0 <= start < len(context):
        raise position.fault(f"answer_start {start} is outside the context of {len(context)} characters")
    found = context[start : start + len(text)]
    if found != text:
        raise position.fault(f"the answer is {text!r}, but the context has {found!r} at answer_start {start}")
    return Answer(start, text)


def _paragraph(article: int, index: int, node: Any, position: FilePosition) -> Paragraph:
    context = _get(node, "context", str, position)
    if "sentence_breaks" not in node:
        if "sentences" in node:
            raise position.fault("'sentences' needs 'sentence_breaks', which is missing")
        return Paragraph(article, index, context)
    breaks = _breaks(context, _get(node, "sentence_breaks", list, position), position)
    sentences = _get(node, "sentences", list, position)
    if len(sentences) != len(breaks):
        raise position.fault(f"{len(sentences)} sentences for {len(breaks)} sentence_breaks")
    for number, sentence in enumerate(sentences):
        if fault := text_fault(sentence):
            raise position.at(f"sentences[{number}]").fault(f"a sentence {fault}")
    return Paragraph(article, index, context, tuple(sentences), breaks)


def _breaks(context: str, nodes: list[Any], position: FilePosition) -> tuple[tuple[int, int], ...]:
    breaks: list[tuple[int, int]] = []
    end = 0
    for number, node in enumerate(nodes):
        here = position.at(f"sentence_breaks[{number}]")
        if not isinstance(node, list) or len(node) != 2 or not all(type(offset) is int for offset in node):
            raise here.fault(f"expected [start, end], found {node!r}")
        if not 0 <= node[0] < node[1] <= len(context):
            raise here.fault(f"{node} is not a range within the context of {len(context)} characters")
        if node[0] < end:
            raise here.fault(f"{node} starts before the end {end} of the sentence before it")
        breaks.append((node[0], node[1]))
        end = node[1]
    return tuple(breaks)


def _question(number: int, paragraph: Paragraph, node: Any, position: FilePosition) -> Question:
    if isinstance(node, dict) and "id" in node:
        node = node | {"id": as_id(node["id"])}
    key, text = _get(node, "id", str, position), _get(node, "question", str, position)
    if fault := text_fault(key):
        raise position.fault(f"the question id {fault}")
    answers = validate_row(position, paragraph.context, text, _get(node, "answers", list, position))
    sentence = None
    if paragraph.sentence_breaks is not None:
        start = answers[0].start
        sentence = bisect_right(paragraph.sentence_breaks, start, key=lambda span: span[0]) - 1
        if sentence < 0 or start >= paragraph.sentence_breaks[sentence][1]:
            raise position.fault(f"the first answer starts at {start}, outside every sentence")
    return Question(key, text, number, answers, sentence)


def _items(node: Any, key: str, position: FilePosition) -> Iterator[tuple[int, Any, FilePosition]]:
    for index, item in enumerate(_get(node, key, list, position)):
        yield index, item, position.at(f"{key}[{index}]")


def _get(node: Any, key: str, kind: type[T], position: FilePosition) -> T:
    if not isinstance(node, dict):
        raise position.fault(f"expected an object with {key!r}, found {node!r:.40}")
    if key not in node:
        raise position.fault(f"{key!r} is missing; there is {', '.join(map(repr, node)) or 'nothing'}")
    value = node[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise position.fault(f"{key!r} must be {JSON_WORDS[kind]}, got {value!r:.40}")
    return value
