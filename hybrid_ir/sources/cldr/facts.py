"""Facts: every relation that CLDR states between entities that have native names in all languages."""

import re
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from babel.lists import format_list

from hybrid_ir.sources.cldr.entities import Entity, native_names
from hybrid_ir.sources.cldr.relations import RELATIONS


@dataclass(frozen=True, slots=True)
class Fact:
    """A subject, a relation and its values, all with native names in the eleven languages.

    Attributes:
        relation: the name of one of `RELATIONS`.
        subject: what the fact is about.
        values: one or more entities that together are the answer (a territory's official languages).
    """

    relation: str
    subject: Entity
    values: tuple[Entity, ...]

    @property
    def id(self) -> str:
        """`currency/JP`: unique, and the same in every language."""
        return f"{self.relation}/{self.subject.code}"

    def subject_name(self, language: str) -> str:
        return _name(self.subject, language)

    def value_name(self, language: str) -> str:
        """All values, joined as the language joins a list (`French, German and Italian`)."""
        names = [_name(value, language) for value in self.values]
        return names[0] if len(names) == 1 else _join(names, language)


@cache
def facts() -> tuple[Fact, ...]:
    """Every fact, in the order of `RELATIONS` and then of the subjects' codes.

    The result is the same on every machine for one version of Babel, which ships one CLDR release.
    """
    found = []
    for relation in RELATIONS:
        subjects, values = native_names(relation.subject), native_names(relation.value)
        for subject, answer in sorted(relation.answers().items()):
            if answer and subject in subjects and all(value in values for value in answer):
                entities = tuple(Entity(relation.value, value) for value in answer)
                found.append(Fact(relation.name, Entity(relation.subject, subject), entities))
    return tuple(found)


def _name(entity: Entity, language: str) -> str:
    return native_names(entity.kind)[entity.code][language]


def _join(names: list[str], language: str) -> str:
    """`format_list`, plus the Spanish rule that "y" becomes "e" before an i sound (`francés e inglés`), as in ICU."""
    joined = format_list(names, style="standard", locale=language)
    return re.sub(r" y (?=h?i(?!e))", " e ", joined) if language == "es" else joined


def stable_hash(text: str) -> int:
    """64-bit hash of a text, for choices that must be the same in every process (unlike Python's `hash`)."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
