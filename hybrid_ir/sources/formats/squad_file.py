"""Files of the SQuAD family: SQuAD 1.1, XQuAD, MLQA, and with sentences XQuAD-R and MLQA-R (LAReQA).

All share one JSON form: `data` (articles) > `paragraphs` (`context`) > `qas` (`id`, `question`, `answers`). LAReQA's
files add to each paragraph `sentences` and their [start, end) character offsets, `sentence_breaks`.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hybrid_ir.sources.errors import InputError, text_fault

T = TypeVar("T")
JSON_WORDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source file, to say where a fault is (`data[3].paragraphs[0]`, `row 17`)."""

    path: str | Path
    where: str = ""

    def at(self, step: str) -> "Place":
        return Place(self.path, f"{self.where}.{step}" if self.where else step)

    def fault(self, text: str) -> InputError:
        return InputError(self.path, text, where=self.where or None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of the context: `context[start:start + len(text)] == text`."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A context with its sentences.

    Attributes:
        article: 0-based place of the article in the file.
        index: 0-based place of the paragraph in its article.
        context: the whole text.
        sentences: the sentences as published, or None where the file has none. A few differ by some characters from
            the part of the context they come from.
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
        sentence: position in the paragraph's sentences of the one in which the first answer STARTS (LAReQA's rule; the
            answer may reach beyond it), or None where the file has no sentences.
    """

    id: str
    text: str
    paragraph: int
    answers: tuple[Answer, ...]
    sentence: int | None


@dataclass(frozen=True, slots=True)
class SquadFile:
    """One file, in its order."""

    path: Path
    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Question, ...]


def read_squad(path: str | Path) -> SquadFile:
    """Read and check one file.

    Raises:
        InputError: the file is absent, is no JSON (with the line), lacks a key or has a value of another type; a text
            is empty; an answer is not where its offset says; sentences overlap, leave the context or hold no start of a
            first answer; a question id occurs twice. Names the place (`data[3].paragraphs[0].qas[2]`).
    """
    path = Path(path)
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    seen: dict[str, Place] = {}
    for number, article, article_place in _items(_parse(path), "data", Place(path)):
        for index, node, place in _items(article, "paragraphs", article_place):
            paragraph = _paragraph(number, index, node, place)
            for _, qa, qa_place in _items(node, "qas", place):
                question = _question(len(paragraphs), paragraph, qa, qa_place)
                if question.id in seen:
                    first = seen[question.id].where
                    raise qa_place.fault(f"question id {question.id!r} occurs twice, first at {first}")
                seen[question.id] = qa_place
                questions.append(question)
            paragraphs.append(paragraph)
    return SquadFile(path, tuple(paragraphs), tuple(questions))


def validate_row(place: Place, context: str, question: str, answers: Any) -> tuple[Answer, ...]:
    """Check one question with its context.

    Args:
        place: where the row stands, for the error.
        context: the paragraph.
        question: the question.
        answers: as in the JSON files, `[{"answer_start": 3, "text": "x"}, ...]`, or as in the hub's tables,
            `{"answer_start": [3, ...], "text": ["x", ...]}`.

    Returns:
        the answers, at least one.

    Raises:
        InputError: a text is empty, there is no answer, or an answer is not at its offset.
    """
    for name, text in (("context", context), ("question", question)):
        if fault := text_fault(text):
            raise place.fault(f"the {name} {fault}")
    if isinstance(answers, dict):
        starts, texts = _get(answers, "answer_start", list, place), _get(answers, "text", list, place)
        if len(starts) != len(texts):
            raise place.fault(f"{len(starts)} answer offsets for {len(texts)} answer texts")
        answers = [{"answer_start": start, "text": text} for start, text in zip(starts, texts, strict=True)]
    if not answers:
        raise place.fault("the question has no answer; unanswerable questions (SQuAD 2.0) must be removed first")
    if not isinstance(answers, list):
        raise place.fault(f"'answers' must be a list, not {answers!r:.40}")
    return tuple(_answer(context, node, place.at(f"answers[{index}]")) for index, node in enumerate(answers))


def _answer(context: str, node: Any, place: Place) -> Answer:
    start, text = _get(node, "answer_start", int, place), _get(node, "text", str, place)
    if not text.strip():
        raise place.fault("the answer is empty")
    if not 0 <= start < len(context):
        raise place.fault(f"answer_start {start} lies outside the context of {len(context)} characters")
    found = context[start : start + len(text)]
    if found != text:
        raise place.fault(f"the answer is {text!r}, but the context has {found!r} at answer_start {start}")
    return Answer(start, text)


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(path, f"not JSON: {error.msg} (column {error.colno})", line=error.lineno) from None
    except UnicodeDecodeError as error:
        raise InputError(path, f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in brackets
        raise InputError(path, f"not usable JSON: {error}") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None


def _paragraph(article: int, index: int, node: Any, place: Place) -> Paragraph:
    context = _get(node, "context", str, place)
    if "sentence_breaks" not in node:
        if "sentences" in node:
            raise place.fault("there are sentences but no sentence_breaks, so no answer can be located")
        return Paragraph(article, index, context)
    breaks = _breaks(context, _get(node, "sentence_breaks", list, place), place)
    sentences = _get(node, "sentences", list, place)
    if len(sentences) != len(breaks):
        raise place.fault(f"{len(sentences)} sentences for {len(breaks)} sentence_breaks")
    for number, sentence in enumerate(sentences):
        if fault := text_fault(sentence):
            raise place.at(f"sentences[{number}]").fault(f"a sentence {fault}")
    return Paragraph(article, index, context, tuple(sentences), breaks)


def _breaks(context: str, nodes: list[Any], place: Place) -> tuple[tuple[int, int], ...]:
    breaks: list[tuple[int, int]] = []
    end = 0
    for number, node in enumerate(nodes):
        here = place.at(f"sentence_breaks[{number}]")
        if not isinstance(node, list) or len(node) != 2 or not all(type(offset) is int for offset in node):
            raise here.fault(f"expected [start, end], found {node!r}")
        if not 0 <= node[0] < node[1] <= len(context):
            raise here.fault(f"{node} is no range within the context of {len(context)} characters")
        if node[0] < end:
            raise here.fault(f"{node} starts before the end {end} of the sentence before it")
        breaks.append((node[0], node[1]))
        end = node[1]
    return tuple(breaks)


def _question(position: int, paragraph: Paragraph, node: Any, place: Place) -> Question:
    key, text = _get(node, "id", str, place), _get(node, "question", str, place)
    if fault := text_fault(key):
        raise place.fault(f"the question id {fault}")
    answers = validate_row(place, paragraph.context, text, _get(node, "answers", list, place))
    sentence = None
    if paragraph.sentence_breaks is not None:
        start = answers[0].start
        sentence = bisect_right(paragraph.sentence_breaks, start, key=lambda span: span[0]) - 1
        if sentence < 0 or start >= paragraph.sentence_breaks[sentence][1]:
            raise place.fault(f"the first answer starts at {start}, which lies in no sentence")
    return Question(key, text, position, answers, sentence)


def _items(node: Any, key: str, place: Place) -> Iterator[tuple[int, Any, Place]]:
    for index, item in enumerate(_get(node, key, list, place)):
        yield index, item, place.at(f"{key}[{index}]")


def _get(node: Any, key: str, kind: type[T], place: Place) -> T:
    if not isinstance(node, dict):
        raise place.fault(f"expected an object with {key!r}, found {node!r:.40}")
    if key not in node:
        raise place.fault(f"{key!r} is missing; there is {', '.join(map(repr, node)) or 'nothing'}")
    value = node[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise place.fault(f"{key!r} must be {JSON_WORDS[kind]}, not {value!r:.40}")
    return value
