"""Geography: territory, continent and time zone of the cities that CLDR and the tz database name time zones after.

A city is identified by its zone in the current tz database (`Asia/Kolkata`).
"""

from babel.core import get_global

from hybrid_ir.sources.cldr.entities import WORLD, Answers

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
