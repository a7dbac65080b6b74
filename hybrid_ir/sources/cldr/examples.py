"""The built-in facts as parallel examples, for training and for the benchmark."""

from collections.abc import Iterator

from hybrid_ir.sources.cldr.entities import LANGUAGES
from hybrid_ir.sources.cldr.facts import Fact, facts
from hybrid_ir.sources.cldr.heldout import split
from hybrid_ir.sources.cldr.templates import passage, question
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
