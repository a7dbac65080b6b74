"""Monolingual question-passage pairs whose ids are shared across languages, joined to parallel examples."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from hybrid_ir.sources.records import Example, ParallelText

PassageKind = Literal["sentence", "context"]
PASSAGE_KINDS: tuple[PassageKind, ...] = ("sentence", "context")


class Pair(NamedTuple):
    """A question and its passage in one language; translations of the question have the same id.

    Attributes:
        negatives: passages in that language that do not answer the question, most confusing first.
    """

    id: str
    question: str
    passage: str
    negatives: tuple[str, ...] = ()


def join_by_id(pairs: Mapping[str, Iterable[Pair]]) -> Iterator[Example]:
    """One example for each id, in order of first appearance, with the languages that have it.

    A passage is named by its texts, so examples whose passages agree in all their languages share it. A hard negative
    is a passage in one language: which negatives are translations of each other is not known.

    Args:
        pairs: language -> its pairs. Ids are unique within a language. All pairs are held in memory: building SQuAD's
            87,599 training questions with answer sentences in eleven languages peaks at 1.3 GB.
    """
    questions: dict[str, dict[str, str]] = {}
    passages: dict[str, dict[str, str]] = {}
    negatives: dict[str, list[ParallelText]] = {}
    for language, monolingual in pairs.items():
        for key, question, passage, confusing in monolingual:
            questions.setdefault(key, {})[language] = question
            passages.setdefault(key, {})[language] = passage
            negatives.setdefault(key, []).extend(ParallelText.of({language: text}) for text in confusing)
    for key, question_texts in questions.items():
        yield Example(key, ParallelText(key, question_texts), ParallelText.of(passages.pop(key)), negatives.pop(key))
