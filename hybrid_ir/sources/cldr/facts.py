"""Facts: every relation that CLDR states between entities that have native names in all languages, and their split.

Held-out facts are not stated in training, but all names they use occur there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

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


HELDOUT_SHARE = 0.12
MAX_HELDOUT_PER_SUBJECT = 3  # more than one, so that a query competes with other passages about its subject
MIN_TRAINING_MENTIONS = 2


class Split(NamedTuple):
    """Training facts and held-out facts, both in the order of the input."""

    train: tuple[Fact, ...]
    heldout: tuple[Fact, ...]


def split(facts: Sequence[Fact], seed: int = 0) -> Split:
    """Hold out up to `HELDOUT_SHARE` of the facts. A pure function of the facts and the seed.

    Guarantees:

    - Facts that relate the same two entities (the currency of Japan, the territory of the yen) are on the same side, so
      no training fact restates a held-out one, in either direction.
    - Every subject and value of a held-out fact is mentioned in at least `MIN_TRAINING_MENTIONS` training facts.
    - At most `MAX_HELDOUT_PER_SUBJECT` facts of one subject are held out.
    """
    mentions = _mentions(facts)
    subjects: Counter[Entity] = Counter()
    heldout: set[Fact] = set()
    for group in sorted(_kin(facts), key=lambda group: _stable_order(group, seed)):
        mentioned, described = _mentions(group), Counter(fact.subject for fact in group)
        fits = len(heldout) + len(group) <= HELDOUT_SHARE * len(facts)
        learnable = all(mentions[entity] - count >= MIN_TRAINING_MENTIONS for entity, count in mentioned.items())
        spread = all(subjects[entity] + count <= MAX_HELDOUT_PER_SUBJECT for entity, count in described.items())
        if fits and learnable and spread:
            heldout.update(group)
            mentions -= mentioned
            subjects += described
    return Split(
        train=tuple(fact for fact in facts if fact not in heldout),
        heldout=tuple(fact for fact in facts if fact in heldout),
    )


def _kin(facts: Iterable[Fact]) -> list[list[Fact]]:
    """Groups of facts that relate the same two entities, in either direction."""
    groups: dict[frozenset[Entity], list[Fact]] = {}
    for fact in facts:
        pairs = [frozenset({fact.subject, value}) for value in fact.values]
        merged = [fact]
        for group in {id(groups[pair]): groups[pair] for pair in pairs if pair in groups}.values():
            merged.extend(group)
        for member in merged:
            groups.update({frozenset({member.subject, value}): merged for value in member.values})
    return list({id(group): group for group in groups.values()}.values())


def _mentions(facts: Iterable[Fact]) -> Counter[Entity]:
    return Counter(entity for fact in facts for entity in (fact.subject, *fact.values))


def _stable_order(group: Sequence[Fact], seed: int) -> tuple[int, int]:
    """Sort key, by subject first: held-out facts then concentrate on some subjects, whose passages compete."""
    first = min(group, key=lambda fact: fact.id)
    return stable_hash(f"{seed}:{first.subject.kind}/{first.subject.code}"), stable_hash(f"{seed}:{first.id}")
