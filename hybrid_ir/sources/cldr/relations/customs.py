"""Customs of a territory: its currencies, and the first and last days of its week (numbered from Monday, `0`)."""

import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import localedata
from babel.core import get_global

from hybrid_ir.sources.cldr.entities import Answers


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
