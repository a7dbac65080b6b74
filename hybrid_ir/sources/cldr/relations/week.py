"""With which day the week begins in a territory, and when it ends. Days are numbered from Monday, `0`."""

import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import localedata

from hybrid_ir.sources.cldr.relations.answer_table import Answers


def first_weekday() -> Answers:
    return {territory: (str(week["first_day"]),) for territory, week in _weeks().items()}


def weekend() -> Answers:
    return {territory: _days(week["weekend_start"], week["weekend_end"]) for territory, week in _weeks().items()}


def _days(first: int, last: int) -> tuple[str, ...]:
    return tuple(str((first + offset) % 7) for offset in range((last - first) % 7 + 1))


@cache
def _weeks() -> Mapping[str, Mapping[str, int]]:
    """Territory -> week data, for every territory with week data of its own; what these leave open is as in the world.

    Babel keeps week data per locale and merges in those of the parent locale, which may be another territory's
    (`pt_AO` inherits Portugal's). So a locale's own file is read, past `localedata.load`, whose cache would afterwards
    hand the unmerged data to every other user of Babel.
    """
    world = localedata.load("root")["week_data"]
    weeks = {}
    for territory, locale in _locales().items():
        own = pickle.loads(Path(localedata.resolve_locale_filename(locale)).read_bytes()).get("week_data")
        if own:
            weeks[territory] = {**world, **own}
    return weeks


def _locales() -> Mapping[str, str]:
    """Territory -> one of its locales; all of a territory's locales have the same week data of their own."""
    subtags = ((locale, locale.split("_")[-1]) for locale in sorted(localedata.locale_identifiers()))
    return {last: locale for locale, last in subtags if len(last) == 2 and last.isupper()}
