"""Languages: which are spoken and official in a territory, and in which script each is written.

Speakers come from CLDR's territory data; scripts from its likely subtags (UTS 35).
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from babel.core import get_global

from hybrid_ir.sources.cldr.entities import WORLD, Answers

MIN_PERCENT = 1.0  # below this share, a language's rank in a territory means nothing
NOT_COUNTED = {"und", "no"}  # no permanent population; Norwegian, counted again as Bokmål and Nynorsk
STATUS_BY_STRENGTH = (None, "official_regional", "de_facto_official", "official")


class Speakers(NamedTuple):
    """Use of a language in a territory: percentage of the population, and CLDR's official status."""

    percent: float
    status: str | None


@cache
def speakers() -> Mapping[str, Mapping[str, Speakers]]:
    """Inhabited territory -> language -> its speakers, most spoken first.

    Script variants (`sr`, `sr_Latn`) are one language, with the larger share and the stronger status.
    """
    territories = {}
    for territory, tags in get_global("territory_languages").items():
        languages: dict[str, Speakers] = {}
        for tag, variant in tags.items():
            language = tag.split("_")[0]
            if language in NOT_COUNTED:
                continue
            known = languages.get(language, Speakers(0.0, None))
            languages[language] = Speakers(
                percent=max(known.percent, variant["population_percent"]),
                status=max(known.status, variant["official_status"], key=STATUS_BY_STRENGTH.index),
            )
        if languages:
            territories[territory] = dict(sorted(languages.items(), key=lambda item: (-item[1].percent, item[0])))
    return territories


def official_languages() -> Answers:
    """Territory -> languages that are official in all of it, by law or de facto.

    There is no answer if CLDR has both kinds. By law only, New Zealand's answer would be Māori; with de facto
    languages, Ukraine's would include Russian.
    """
    answers = {}
    for territory, languages in speakers().items():
        by_law = tuple(language for language, found in languages.items() if found.status == "official")
        in_fact = tuple(language for language, found in languages.items() if found.status == "de_facto_official")
        answers[territory] = () if by_law and in_fact else by_law or in_fact
    return answers


def main_language() -> Answers:
    return {territory: _at_rank(0, languages) for territory, languages in speakers().items()}


def second_language() -> Answers:
    return {territory: _at_rank(1, languages) for territory, languages in speakers().items()}


def _at_rank(rank: int, languages: Mapping[str, Speakers]) -> tuple[str, ...]:
    """The language at a rank; empty if two share the rank or it is below `MIN_PERCENT`."""
    percents = [found.percent for found in languages.values()]
    if len(percents) <= rank or percents[rank] < MIN_PERCENT or percents.count(percents[rank]) > 1:
        return ()
    return (list(languages)[rank],)


class Likely(NamedTuple):
    """Likely subtags of a partial tag: `ja` -> `ja_Jpan_JP`."""

    language: str
    script: str
    territory: str


def language_script() -> Answers:
    return {language: (likely.script,) for language, likely in _living_languages().items()}


def language_territory() -> Answers:
    """Language -> territory; without languages of the whole world, such as Esperanto."""
    languages = _living_languages().items()
    return {language: (likely.territory,) for language, likely in languages if likely.territory != WORLD}


def script_language() -> Answers:
    return {script: (likely.language,) for script, likely in _characteristic_scripts().items()}


def script_territory() -> Answers:
    return {script: (likely.territory,) for script, likely in _characteristic_scripts().items()}


def territory_script() -> Answers:
    return {territory: (_likely(f"und_{territory}").script,) for territory in speakers()}


@cache
def _living_languages() -> Mapping[str, Likely]:
    """Language -> likely subtags, for every language that CLDR counts speakers of."""
    spoken = {language for languages in speakers().values() for language in languages}
    return {language: _likely(language) for language in sorted(spoken & get_global("likely_subtags").keys())}


@cache
def _characteristic_scripts() -> Mapping[str, Likely]:
    """Script -> likely subtags, for every script whose likely language is in turn likely written in it.

    This leaves out Braille, which CLDR assigns to French because it has no language itself.
    """
    tags = (tag for tag in get_global("likely_subtags") if tag.startswith("und_") and len(tag) == len("und_Jpan"))
    scripts = {tag.removeprefix("und_"): _likely(tag) for tag in sorted(tags)}
    return {script: likely for script, likely in scripts.items() if _likely(likely.language).script == script}


def _likely(tag: str) -> Likely:
    """Likely subtags of a language, `und_Script` or `und_TERRITORY`; those of `und` if CLDR lists none."""
    subtags = get_global("likely_subtags")
    return Likely(*subtags.get(tag, subtags["und"]).split("_"))
