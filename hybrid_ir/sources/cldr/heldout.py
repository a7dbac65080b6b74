"""The split of the built-in facts: held-out facts are not stated in training, but all names they use occur there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hybrid_ir.sources.cldr.entities import Entity
from hybrid_ir.sources.cldr.facts import Fact, stable_hash

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
