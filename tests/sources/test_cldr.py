"""The built-in CLDR facts: true, native in every language, worded without clashes, and split without leaks."""

import hashlib
import string
import unicodedata
from collections import Counter

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sources.cldr import LANGUAGES, Fact, facts, heldout_examples, train_examples
from hybrid_ir.sources.cldr.entities import LATIN_SCRIPT, Entity, native_names
from hybrid_ir.sources.cldr.examples import passage, question, templates
from hybrid_ir.sources.cldr.facts import MAX_HELDOUT_PER_SUBJECT, MIN_TRAINING_MENTIONS, split
from hybrid_ir.sources.cldr.relations import RELATIONS

SCRIPT = {"ar": "ARABIC", "el": "GREEK", "hi": "DEVANAGARI", "ru": "CYRILLIC", "th": "THAI", "zh": "CJK"}
BY_ID = {fact.id: fact for fact in facts()}
TRAIN, HELDOUT = list(train_examples()), list(heldout_examples())
EXAMPLES = TRAIN + HELDOUT


def pairs(fact: Fact) -> set[frozenset[Entity]]:
    return {frozenset({fact.subject, value}) for value in fact.values}


def mentions(found: tuple[Fact, ...]) -> Counter[Entity]:
    return Counter(entity for fact in found for entity in (fact.subject, *fact.values))


KNOWN = {
    "currency/JP": "Japanese Yen", "currency/PA": "Panamanian Balboa and US Dollar",
    "former_currency/DE": "German Mark", "official_languages/BE": "Dutch, French, and German",
    "official_languages/SG": "English, Chinese, Malay, and Tamil", "main_language/BR": "Portuguese",
    "second_language/CA": "French", "territory_script/GR": "Greek", "territory_script/GB": "Latin",
    "territory_time_zone/JP": "Japan Standard Time", "territory_continent/KE": "Africa",
    "first_weekday/US": "Sunday", "first_weekday/DE": "Monday", "first_weekday/EG": "Saturday",
    "weekend/IR": "Friday", "weekend/IL": "Friday and Saturday", "language_script/hi": "Devanagari",
    "language_territory/el": "Greece", "script_language/Grek": "Greek", "script_territory/Cher": "United States",
    "currency_territory/THB": "Thailand", "place_territory/Asia/Kolkata": "India",
    "place_time_zone/Europe/Berlin": "Central European Standard Time", "place_continent/America/Lima": "Americas",
}  # fmt: skip
UNCLEAR = [
    "currency/SN",  # the CFA franc has Latin letters in its Hindi name
    "territory_time_zone/US",  # several
    "territory_continent/TR",  # its zone lies on one continent, the territory on two
    "territory_continent/RU",
    "place_territory/Europe/Monaco",  # named like its territory
    "first_weekday/001",  # the world
    "first_weekday/TV",  # CLDR has only the world's default for it
    "official_languages/UA",  # CLDR has one language by law and another in fact
    "script_language/Brai",  # given to French for want of a language of its own
    "language_territory/eo",  # nowhere in particular
]
LISTS = {  # follow the language
    ("official_languages/BE", "de"): "Niederländisch, Französisch und Deutsch",
    ("official_languages/BE", "zh"): "荷兰语、法语和德语",
    ("official_languages/BE", "es"): "neerlandés, francés y alemán",
    ("official_languages/PW", "es"): "palauano e inglés",
}


def test_known_facts_are_found_and_true_and_what_is_unclear_is_no_fact() -> None:
    assert {fact: BY_ID[fact].value_name("en") for fact in KNOWN} == KNOWN
    assert {(fact, language): BY_ID[fact].value_name(language) for fact, language in LISTS} == LISTS
    assert not BY_ID.keys() & UNCLEAR
    assert len(facts()) == len(BY_ID) == 3971 and {fact.relation for fact in facts()} == {r.name for r in RELATIONS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_native_and_mean_one_entity_of_a_kind(language: str) -> None:
    entities = {entity for fact in facts() for entity in (fact.subject, *fact.values)}
    for kind, code in entities:
        name = native_names(kind)[code][language]
        assert name == name.strip() and not any(character.isdigit() for character in name)
        if language in SCRIPT:
            prefixes = {unicodedata.name(character).split()[0] for character in name if character.isalpha()}
            assert SCRIPT[language] in prefixes and "LATIN" not in prefixes, (kind, code, name)
    for kind in {kind for kind, _ in entities}:
        names = {code: of_code[language] for code, of_code in native_names(kind).items()}
        assert len(set(names.values())) == len(names), kind
        spelled = {code for code, name in names.items() if code.casefold() == name.casefold()}
        assert spelled <= {"fon", "tiv", "yao", "Moon"}  # Fon, Tiv and Yao are languages, Moon is a script


def test_reading_the_week_leaves_babel_intact() -> None:
    assert Locale("pt", "AO").territories["JP"] == "Japão"
    assert Locale("pt", "AO").first_week_day == Locale("pt", "PT").first_week_day == 6  # what Babel merges
    assert BY_ID["first_weekday/PT"].value_name("en") == "Sunday"
    assert "first_weekday/AO" not in BY_ID


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_relation_has_parallel_wordings(language: str) -> None:
    assert set(templates(language)) == {relation.name for relation in RELATIONS}
    for relation, sides in templates(language).items():
        for side, slots in (("questions", {"subject"}), ("passages", {"subject", "value"})):
            wordings = sides[side]
            assert len(wordings) == len(set(wordings)) == len(templates("en")[relation][side]) >= 2
            for wording in wordings:
                parts = list(string.Formatter().parse(wording))
                assert Counter(slot for _, slot, _, _ in parts if slot) == Counter(slots), wording
                if language not in LATIN_SCRIPT:
                    assert not any("a" <= letter.lower() <= "z" for text, *_ in parts for letter in text), wording


@pytest.mark.parametrize("language", ["en", "th"])
def test_texts_name_their_entities_and_are_those_of_one_fact(language: str) -> None:
    for fact in facts():
        asked, told = question(fact, language), passage(fact, language)
        assert fact.subject_name(language) in asked
        assert fact.subject_name(language) in told and fact.value_name(language) in told
    for texts in ([e.question.text[language] for e in EXAMPLES], [e.passage.text[language] for e in EXAMPLES]):
        assert len({" ".join(text.casefold().split()) for text in texts}) == len(EXAMPLES) == len(facts())


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_split_leaks_nothing_and_leaves_every_name_in_training(seed: int) -> None:
    train, heldout = split(facts(), seed)
    assert Counter(train + heldout) == Counter(facts())
    assert 0.10 <= len(heldout) / len(facts()) <= 0.15
    stated = set().union(*map(pairs, train))
    learnt = mentions(train)
    for fact in heldout:
        assert not pairs(fact) & stated, f"{fact.id} is also stated in training"
        assert all(learnt[entity] >= MIN_TRAINING_MENTIONS for entity in (fact.subject, *fact.values)), fact.id
    assert max(Counter(fact.subject for fact in heldout).values()) == MAX_HELDOUT_PER_SUBJECT


def test_the_split_depends_on_the_seed_and_covers_most_relations() -> None:
    assert split(facts(), 1) != split(facts(), 2)
    relations = {example.id.split("/")[0] for example in HELDOUT}
    # A currency that one territory alone uses is in no other fact, so it cannot be learnt elsewhere.
    assert relations == {relation.name for relation in RELATIONS} - {"currency_territory"}


def test_examples_are_the_published_ones() -> None:
    """Under any seed of Python's hashes; another release of Babel needs new result tables."""
    content = hashlib.sha256(repr(EXAMPLES).encode()).hexdigest()
    assert content == "9d512a28a41c2086c67663315222f255ef95cc8f9d91f832f4e978f243efcde5"
