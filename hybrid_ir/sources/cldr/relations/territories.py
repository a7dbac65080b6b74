"""Territories: currencies and weeks (days numbered from Monday, `0`), and cities with their continents and time zones.

Cities are those that CLDR and the tz database name time zones after. A city is identified by its zone in the current tz
database (`Asia/Kolkata`).
"""

import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import localedata
from babel.core import get_global

from hybrid_ir.sources.cldr.entities import WORLD, Answers


def currency() -> Answers:
    """Territory -> its current legal tender."""
    return {
        territory: tuple(code for code, _, end, tender in rows if tender and end is None)
        for territory, rows in get_global("territory_currencies").items()
    }


def former_currency() -> Answers:
    """Territory -> the legal tender that it replaced last."""
    answers = {}
    for territory, rows in get_global("territory_currencies").items():
        today = {code for code, _, end, _ in rows if end is None}
        ended = [(end, code) for code, _, end, tender in rows if tender and end and code not in today]
        if ended:
            answers[territory] = (max(ended)[1],)
    return answers


def currency_territory() -> Answers:
    """Currency -> the only territory where it is legal tender, if there is only one."""
    users: dict[str, list[str]] = {}
    for territory, tender in currency().items():
        for code in tender:
            users.setdefault(code, []).append(territory)
    return {code: tuple(territories) for code, territories in users.items() if len(territories) == 1}


def first_weekday() -> Answers:
    return {territory: (str(week["first_day"]),) for territory, week in _weeks().items()}


def weekend() -> Answers:
    return {territory: _days(week["weekend_start"], week["weekend_end"]) for territory, week in _weeks().items()}


def _days(first: int, last: int) -> tuple[str, ...]:
    return tuple(str((first + offset) % 7) for offset in range((last - first) % 7 + 1))


@cache
def _weeks() -> Mapping[str, Mapping[str, int]]:
    """Territory -> week data, for every territory that has its own; the world's default fills the gaps.

    Babel stores week data per locale and merges them with those of the parent locale, which may belong to another
    territory (`pt_AO` inherits from Portugal). This reads the locale's own file. It bypasses `localedata.load`, whose
    cache would then return the unmerged data to every other user of Babel.
    """
    world = localedata.load("root")["week_data"]
    weeks = {}
    for territory, locale in _locales().items():
        own = pickle.loads(Path(localedata.resolve_locale_filename(locale)).read_bytes()).get("week_data")
        if own:
            weeks[territory] = {**world, **own}
    return weeks


def _locales() -> Mapping[str, str]:
    """Territory -> one of its locales. All locales of a territory have the same week data."""
    subtags = ((locale, locale.split("_")[-1]) for locale in sorted(localedata.locale_identifiers()))
    return {last: locale for locale, last in subtags if len(last) == 2 and last.isupper()}


CONTINENTS = {"Africa": "002", "America": "019", "Asia": "142", "Europe": "150"}  # tz area -> CLDR territory


def place_territory() -> Answers:
    territories = get_global("zone_territories").items()
    return {zone: (territory,) for zone, territory in territories if territory != WORLD}


def place_time_zone() -> Answers:
    today = get_global("zone_aliases")
    return {today.get(zone, zone): (meta_zone,) for zone, meta_zone in get_global("meta_zones").items()}


def place_continent() -> Answers:
    """City -> the continent that the tz database files its zone under, if it is not an ocean."""
    areas = {zone: zone.split("/")[0] for zone in get_global("zone_territories")}
    return {zone: (CONTINENTS[area],) for zone, area in areas.items() if area in CONTINENTS}


def territory_time_zone() -> Answers:
    return _unanimous(place_time_zone())


def territory_continent() -> Answers:
    """Territory -> its continent, if all its zones are on one.

    Without Türkiye: its only zone is filed under Europe, but CLDR's containment data says Western Asia.
    """
    return {territory: found for territory, found in _unanimous(place_continent()).items() if territory != "TR"}


def _unanimous(of_place: Answers) -> Answers:
    """Territory -> the value that all its zones agree on."""
    by_territory: dict[str, set[tuple[str, ...]]] = {}
    for place, (territory,) in place_territory().items():
        by_territory.setdefault(territory, set()).add(of_place.get(place, ()))
    return {territory: next(iter(found)) for territory, found in by_territory.items() if len(found) == 1}
