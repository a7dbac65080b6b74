"""Names of territories, languages, currencies and so on in the eleven XQuAD languages, as Unicode CLDR gives them."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from babel import Locale
from babel.core import get_global

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
LATIN_SCRIPT = frozenset({"de", "en", "es", "tr", "vi"})
SOFT_HYPHEN = "\N{SOFT HYPHEN}"
Answers = Mapping[str, tuple[str, ...]]
"""Subject code -> value codes in a meaningful order; an empty tuple, as a missing subject, means no answer."""

WORLD = "001"  # CLDR's territory of what has no smaller one


class Entity(NamedTuple):
    """Something that CLDR names: a kind (`territory`) and CLDR's own code within it (`JP`)."""

    kind: str
    code: str


@cache
def native_names(kind: str) -> Mapping[str, Mapping[str, str]]:
    """Code -> language -> name, for every entity of a kind that has a name of its own in all eleven languages.

    Babel never falls back to a code or to English: a name that CLDR does not have is missing. Left out, because a name
    is not native or does not tell the entity from others, is an entity with

    - a missing name;
    - a Latin letter in the name in a language of another script (`CFA फ़्रैंक`);
    - a digit in a name (`Afghan Afghani (1927-2002)`): digits would match across scripts;
    - the name of another entity of its kind or, for a place, of a territory (Monaco) in some language.

    Args:
        kind: `territory`, `language`, `script`, `currency`, `place`, `time_zone` or `day`.
    """
    tables = {language: _NAMES[kind](Locale.parse(language), language) for language in LANGUAGES}
    in_all = set.intersection(*(set(table) for table in tables.values()))
    native = [code for code in in_all if all(_is_native(tables[language][code], language) for language in LANGUAGES)]
    named = {code: {language: tables[language][code] for language in LANGUAGES} for code in sorted(native)}
    others = native_names("territory") if kind == "place" else {}
    bearers = Counter(item for names in (*named.values(), *others.values()) for item in names.items())
    return {code: names for code, names in named.items() if all(bearers[item] == 1 for item in names.items())}


def _is_native(name: str, language: str) -> bool:
    has_digit = any(character.isdigit() for character in name)
    return not has_digit and (language in LATIN_SCRIPT or not re.search("[A-Za-z]", name))


def _territories(locale: Locale, _: str) -> dict[str, str]:
    unassigned = {"XA", "XB", "ZZ"}  # pseudo-locales and "unknown region"
    return {code: name for code, name in locale.territories.items() if code not in unassigned}


def _languages(locale: Locale, _: str) -> dict[str, str]:
    not_a_language = {"mul", "und", "zxx"}
    return {code: name for code, name in locale.languages.items() if "_" not in code and code not in not_a_language}


def _scripts(locale: Locale, _: str) -> dict[str, str]:
    qualifiers = {"Hans", "Hant"}  # named for use after a language: "Simplified"
    return {code: name for code, name in locale.scripts.items() if code not in qualifiers}


def _places(locale: Locale, language: str) -> dict[str, str]:
    """Exemplar cities of time zones, by the zone's id of today.

    CLDR stores no city where it is the one that the zone's id spells (UTS 35, Time Zone Names), so in a Latin-script
    language a missing name is the id's last part. In the other languages a missing name is missing.
    """
    today = get_global("zone_aliases")
    cities = {zone: names["city"] for zone, names in locale.time_zones.items() if "city" in names}
    if language in LATIN_SCRIPT:
        zones: Mapping[str, object] = Locale.parse("el").time_zones  # every zone has a city there
        cities = {zone: zone.rpartition("/")[2].replace("_", " ") for zone in zones} | cities
    return {today.get(zone, zone): city.replace(SOFT_HYPHEN, "") for zone, city in cities.items()}


def _time_zones(locale: Locale, _: str) -> dict[str, str]:
    long_names = {zone: names.get("long", {}) for zone, names in locale.meta_zones.items()}
    return {zone: names["standard"] for zone, names in long_names.items() if "standard" in names}


def _days(locale: Locale, _: str) -> dict[str, str]:
    return {str(day): name for day, name in locale.days["stand-alone"]["wide"].items()}


_NAMES = {
    "territory": _territories,
    "language": _languages,
    "script": _scripts,
    "currency": lambda locale, _: dict(locale.currencies),
    "place": _places,
    "time_zone": _time_zones,
    "day": _days,
}
