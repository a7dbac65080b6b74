"""Facts as sentences: a question that names the subject, a passage that names subject and value, in eleven languages.

`templates/{language}.toml` holds a few wordings of each for every relation. They put names where the language needs no
inflection, article or agreement: in apposition, in quotation marks, after a colon. The i-th wordings of all languages
are translations of each other.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from hybrid_ir.sources.cldr.facts import Fact
from hybrid_ir.sources.cldr.hashing import stable_hash

Side = Literal["questions", "passages"]


def question(fact: Fact, language: str) -> str:
    return _wording(fact, "questions", language).format(subject=fact.subject_name(language))


def passage(fact: Fact, language: str) -> str:
    return _wording(fact, "passages", language).format(
        subject=fact.subject_name(language), value=fact.value_name(language)
    )


@cache
def templates(language: str) -> Mapping[str, Mapping[Side, Sequence[str]]]:
    """Relation -> side -> wordings."""
    source = files("hybrid_ir.sources.cldr") / "templates" / f"{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _wording(fact: Fact, side: Side, language: str) -> str:
    """One wording of a fact, the same in all languages and drawn for question and passage independently."""
    wordings = templates(language)[fact.relation][side]
    return wordings[stable_hash(f"{side}:{fact.id}") % len(wordings)]
