"""The nearest of the words that could have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The choice that is most like `word`; None where none is like it.

    Args:
        word: what was typed.
        choices: what there is.
        cutoff: how alike they must be, from 0 (anything) to 1 (equal).
    """
    found = get_close_matches(word, list(choices), n=1, cutoff=cutoff)
    return found[0] if found else None
