"""The built-in facts as parallel examples, for training and for the benchmark."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from hybrid_ir.sources.cldr.entities import LANGUAGES
from hybrid_ir.sources.cldr.facts import Fact, facts, stable_hash
from hybrid_ir.sources.cldr.heldout import split
from hybrid_ir.sources.records import Example, ParallelText


def train_examples() -> Iterator[Example]:
    """The facts to train on, question and passage in all eleven languages, one question and one passage a fact."""
    return map(_example, split(facts()).train)


def heldout_examples() -> Iterator[Example]:
    """The facts held out for the benchmark; see `split` for what training may know of them."""
    return map(_example, split(facts()).heldout)


def _example(fact: Fact) -> Example:
    return Example(
        id=fact.id,
        question=ParallelText(fact.id, {language: question(fact, language) for language in LANGUAGES}),
        passage=ParallelText(fact.id, {language: passage(fact, language) for language in LANGUAGES}),
    )


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
