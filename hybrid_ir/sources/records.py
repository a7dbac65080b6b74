"""Plain records: what readers of sources yield, and the two kinds of text that retrieval knows."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

TextKind = Literal["query", "passage"]


@dataclass(frozen=True, slots=True)
class ParallelText:
    """One content in one or more languages.

    Attributes:
        id: names the content, the same in every language.
        text: language code -> text. A language the content is not available in is absent.
    """

    id: str
    text: Mapping[str, str]

    @classmethod
    def of(cls, text: Mapping[str, str]) -> "ParallelText":
        """A content that its source gives no id: named by its texts, so that equal contents are one."""
        content = json.dumps(text, sort_keys=True).encode()
        return cls(hashlib.blake2b(content, digest_size=16).hexdigest(), text)


@dataclass(frozen=True, slots=True)
class Example:
    """One parallel question-passage example.

    Two examples that share a question or passage id share the content (one paragraph answers several questions): the
    corpus stores it once, and the loss knows that the one is no negative of the other.

    Attributes:
        id: names the example, unique within its corpus.
        question: the question, by language.
        passage: the passage that answers it, by language; its languages may differ from the question's.
        negatives: hard negatives, passages that look relevant and are not, most confusing first.
    """

    id: str
    question: ParallelText
    passage: ParallelText
    negatives: Sequence[ParallelText] = field(default=())


def text_fingerprint(text: str) -> int:
    """64 bits by which texts are told apart, never 0; white space around a text does not count."""
    return int.from_bytes(hashlib.blake2b(text.strip().encode(), digest_size=8).digest(), "little") or 1
