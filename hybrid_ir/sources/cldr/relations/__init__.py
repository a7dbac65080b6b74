"""Relations of CLDR's supplemental data between territories, languages, scripts, currencies and cities, as codes.

`hybrid_ir.sources.cldr.facts` leaves out the codes that have no native names.
"""

from collections.abc import Callable
from typing import NamedTuple

from hybrid_ir.sources.cldr.entities import Answers
from hybrid_ir.sources.cldr.relations import languages, territories


class Relation(NamedTuple):
    """A kind of fact that CLDR states about all subjects of a kind.

    Attributes:
        name: a unique name, the first part of a fact's id and the key of its templates.
        subject: kind of the subject.
        value: kind of the values.
        answers: function that reads the answers from CLDR.
    """

    name: str
    subject: str
    value: str
    answers: Callable[[], Answers]


RELATIONS = (
    Relation("currency", "territory", "currency", territories.currency),
    Relation("former_currency", "territory", "currency", territories.former_currency),
    Relation("official_languages", "territory", "language", languages.official_languages),
    Relation("main_language", "territory", "language", languages.main_language),
    Relation("second_language", "territory", "language", languages.second_language),
    Relation("territory_script", "territory", "script", languages.territory_script),
    Relation("territory_time_zone", "territory", "time_zone", territories.territory_time_zone),
    Relation("territory_continent", "territory", "territory", territories.territory_continent),
    Relation("first_weekday", "territory", "day", territories.first_weekday),
    Relation("weekend", "territory", "day", territories.weekend),
    Relation("language_script", "language", "script", languages.language_script),
    Relation("language_territory", "language", "territory", languages.language_territory),
    Relation("script_language", "script", "language", languages.script_language),
    Relation("script_territory", "script", "territory", languages.script_territory),
    Relation("currency_territory", "currency", "territory", territories.currency_territory),
    Relation("place_territory", "place", "territory", territories.place_territory),
    Relation("place_time_zone", "place", "time_zone", territories.place_time_zone),
    Relation("place_continent", "place", "territory", territories.place_continent),
)
