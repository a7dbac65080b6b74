"""Which language, script and territory go together: CLDR's likely subtags (UTS 35)."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from babel.core import get_global

from hybrid_ir.sources.cldr.relations.answer_table import WORLD, Answers
from hybrid_ir.sources.cldr.relations.speech import speakers


class Likely(NamedTuple):
    """What is likely when only a part is known: `ja` -> `ja_Jpan_JP`."""

    language: str
    script: str
    territory: str


def language_script() -> Answers:
    return {language: (likely.script,) for language, likely in _living_languages().items()}


def language_territory() -> Answers:
    """Language -> territory; none for a language of the world at large, such as Esperanto."""
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
    """Every language that CLDR counts speakers of."""
    spoken = {language for languages in speakers().values() for language in languages}
    return {language: _likely(language) for language in sorted(spoken & get_global("likely_subtags").keys())}


@cache
def _characteristic_scripts() -> Mapping[str, Likely]:
    """Every script whose likely language is in turn likely written in it.

    So Braille, which CLDR gives to French for want of a language of its own, is none.
    """
    tags = (tag for tag in get_global("likely_subtags") if tag.startswith("und_") and len(tag) == len("und_Jpan"))
    scripts = {tag.removeprefix("und_"): _likely(tag) for tag in sorted(tags)}
    return {script: likely for script, likely in scripts.items() if _likely(likely.language).script == script}


def _likely(tag: str) -> Likely:
    """Likely subtags of a language, `und_Script` or `und_TERRITORY`; where CLDR lists none, those of `und`."""
    subtags = get_global("likely_subtags")
    return Likely(*subtags.get(tag, subtags["und"]).split("_"))
