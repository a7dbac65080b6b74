"""Native names of territories, languages, currencies and other CLDR entities in the eleven XQuAD languages."""

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
"""Subject code -> value codes in a meaningful order; an empty tuple or a missing subject means no answer."""

WORLD = "001"  # CLDR's territory of the whole world


class Entity(NamedTuple):
    """Something that CLDR has a name for: a kind (`territory`) and CLDR's code (`JP`)."""

    kind: str
    code: str


@cache
def native_names(kind: str) -> Mapping[str, Mapping[str, str]]:
    """Code -> language -> name, for every entity of a kind with a native, unambiguous name in all eleven languages.

    Babel never falls back to a code or to English, so a name that CLDR lacks is missing. An entity is left out if in
    any language its name

    - is missing;
    - has a Latin letter in a language of another script (`CFA फ़्रैंक`);
    - has a digit (`Afghan Afghani (1927-2002)`), since digits would match across scripts;
    - is also the name of another entity of its kind or, for a place, of a territory (Monaco).

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
    """Exemplar cities of time zones, by the zone's current id.

    CLDR stores no city if it is the one that the zone's id spells (UTS 35, Time Zone Names), so in a Latin-script
    language a missing name is the last part of the id. In other languages it stays missing.
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
