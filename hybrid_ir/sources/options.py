"""Checks of the options that readers of corpora and loaders of benchmarks share."""

from collections.abc import Collection, Sequence


def check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    """Raises ValueError, with the choices, where `value` is none of them."""
    if value not in choices:
        raise ValueError(f"{option} is {value!r}; it must be {' or '.join(map(repr, choices))}")


def check_languages(source: str, languages: Sequence[str], known: Collection[str]) -> None:
    """Raises ValueError, with the languages of the source, where `languages` is empty or names another."""
    unknown = sorted(set(languages) - set(known))
    if unknown or not languages:
        asked = f"has no {', '.join(unknown)}" if unknown else "is asked for no language"
        raise ValueError(f"{source} {asked}; it has {', '.join(known)}")


def choose_languages(source: str, languages: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """The languages asked for, each once, in the order asked for; None stands for all of the source.

    Raises:
        ValueError: as `check_languages` does.
    """
    chosen = list(known if languages is None else dict.fromkeys(languages))
    check_languages(source, chosen, known)
    return chosen
