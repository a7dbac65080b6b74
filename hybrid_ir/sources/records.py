"""Plain records that readers yield: parallel texts and question-passage examples."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hybrid_ir.sources.bcp47 import Spellings

TextKind = Literal["query", "passage"]


def as_id(value: object) -> object:
    """An id of a source: whole numbers are ids, too, and become text. Anything else is returned as it is."""
    return str(value) if type(value) is int else value


@dataclass(frozen=True, slots=True)
class ParallelText:
    """A text in one or more languages.

    Attributes:
        id: identifies the content, the same in every language.
        text: language code -> text. Languages in which the content does not exist are absent.
    """

    id: str
    text: Mapping[str, str]

    @classmethod
    def of(cls, text: Mapping[str, str]) -> "ParallelText":
        """A parallel text for sources without ids: its id is computed from its texts, so equal contents share it."""
        content = json.dumps(text, sort_keys=True).encode()
        return cls(hashlib.blake2b(content, digest_size=16).hexdigest(), text)


@dataclass(frozen=True, slots=True)
class Example:
    """One parallel question-passage example.

    Two examples with the same question or passage id share that content (one paragraph answers several questions). The
    corpus stores it once, and the loss does not treat one as a negative of the other.

    Attributes:
        id: identifies the example within its corpus.
        question: the question, by language.
        passage: the passage that answers it (the positive), by language; its languages may differ from the question's.
        negatives: hard negatives, passages that look relevant but are not, most confusing first.
    """

    id: str
    question: ParallelText
    passage: ParallelText
    negatives: Sequence[ParallelText] = field(default=())


def in_one_spelling(text: ParallelText, spellings: Spellings) -> ParallelText:
    """The text with its language codes as BCP 47 writes them. Raises ValueError if two of them are one language."""
    texts = spellings.of(text.text)
    return text if texts is text.text else ParallelText(text.id, texts)


def text_fingerprint(text: str) -> int:
    """64-bit fingerprint of a text, never 0. Leading and trailing white space does not count."""
    return int.from_bytes(hashlib.blake2b(text.strip().encode(), digest_size=8).digest(), "little") or 1
