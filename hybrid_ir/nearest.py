"""The nearest of the words that could have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The choice that is most like `word`, or that it abbreviates (`lr` for `learning_rate`); None if there is none.

    Args:
        word: what was typed.
        choices: what there is.
        cutoff: how alike they must be, from 0 (anything) to 1 (equal).
    """
    known = list(choices)
    found = get_close_matches(word, known, n=1, cutoff=max(cutoff, 0.6))
    found += [choice for choice in known if "_" in choice and word == "".join(part[:1] for part in choice.split("_"))]
    found += get_close_matches(word, known, n=1, cutoff=cutoff)
    return found[0] if found else None
