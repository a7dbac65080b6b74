"""What CLDR's supplemental data says of territories, languages, scripts, currencies and places, in codes.

Codes that have no native names are sorted out by `hybrid_ir.sources.cldr.facts`.
"""

from collections.abc import Callable
from typing import NamedTuple

from hybrid_ir.sources.cldr.relations import money, places, speech, week, writing
from hybrid_ir.sources.cldr.relations.answer_table import Answers


class Relation(NamedTuple):
    """A question that CLDR answers about the subjects of a kind.

    Attributes:
        name: unique; the first part of a fact's id and the key of its templates.
        subject: kind of the subject.
        value: kind of the values.
        answers: reads the answers from CLDR.
    """

    name: str
    subject: str
    value: str
    answers: Callable[[], Answers]


RELATIONS = (
    Relation("currency", "territory", "currency", money.currency),
    Relation("former_currency", "territory", "currency", money.former_currency),
    Relation("official_languages", "territory", "language", speech.official_languages),
    Relation("main_language", "territory", "language", speech.main_language),
    Relation("second_language", "territory", "language", speech.second_language),
    Relation("territory_script", "territory", "script", writing.territory_script),
    Relation("territory_time_zone", "territory", "time_zone", places.territory_time_zone),
    Relation("territory_continent", "territory", "territory", places.territory_continent),
    Relation("first_weekday", "territory", "day", week.first_weekday),
    Relation("weekend", "territory", "day", week.weekend),
    Relation("language_script", "language", "script", writing.language_script),
    Relation("language_territory", "language", "territory", writing.language_territory),
    Relation("script_language", "script", "language", writing.script_language),
    Relation("script_territory", "script", "territory", writing.script_territory),
    Relation("currency_territory", "currency", "territory", money.currency_territory),
    Relation("place_territory", "place", "territory", places.place_territory),
    Relation("place_time_zone", "place", "time_zone", places.place_time_zone),
    Relation("place_continent", "place", "territory", places.place_continent),
)
