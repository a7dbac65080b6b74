"""The built-in facts as parallel examples: a question about the subject, and a passage that states the value.

`templates/{language}.toml` has several wordings of both for every relation. Names are put where no language needs
inflection, articles or agreement: in apposition, in quotation marks or after a colon. The i-th wordings of all
languages are translations of each other.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from hybrid_ir.sources.cldr.entities import LANGUAGES
from hybrid_ir.sources.cldr.facts import Fact, facts, split, stable_hash
from hybrid_ir.sources.records import Example, ParallelText


def train_examples() -> Iterator[Example]:
    """The training facts, each with one question and one passage in all eleven languages."""
    return map(_example, split(facts()).train)


def heldout_examples() -> Iterator[Example]:
    """The facts held out for the benchmark; `split` says how they are separated from the training facts."""
    return map(_example, split(facts()).heldout)


def _example(fact: Fact) -> Example:
    return Example(
        id=fact.id,
        question=ParallelText(fact.id, {language: question(fact, language) for language in LANGUAGES}),
        passage=ParallelText(fact.id, {language: passage(fact, language) for language in LANGUAGES}),
    )


Wordings = Literal["questions", "passages"]


def question(fact: Fact, language: str) -> str:
    return _wording(fact, "questions", language).format(subject=fact.subject_name(language))


def passage(fact: Fact, language: str) -> str:
    return _wording(fact, "passages", language).format(
        subject=fact.subject_name(language), value=fact.value_name(language)
    )


@cache
def templates(language: str) -> Mapping[str, Mapping[Wordings, Sequence[str]]]:
    """Relation -> `questions` or `passages` -> wordings, in one language."""
    source = files("hybrid_ir.sources.cldr") / "templates" / f"{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _wording(fact: Fact, side: Wordings, language: str) -> str:
    """A fact's wording: the same one in all languages, drawn independently for question and passage."""
    wordings = templates(language)[fact.relation][side]
    return wordings[stable_hash(f"{side}:{fact.id}") % len(wordings)]
