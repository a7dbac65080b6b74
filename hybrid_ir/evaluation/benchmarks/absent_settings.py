"""The note on settings that a benchmark lacks, because queries and passages are not in the same languages."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]  # indices into the languages of a benchmark
SHOWN = 20  # settings that a note lists


def absent_settings(
    languages: Sequence[str], queries: Codes, passages: Codes, pairs: tuple[Codes, Codes]
) -> tuple[str, ...]:
    """The note, as a tuple of one; an empty tuple if every language has queries and passages.

    Args:
        languages: the languages of the benchmark.
        queries: (Q,), the language of each query.
        passages: (P,), the language of each passage.
        pairs: (R,) each, the languages of each query and of a passage that is relevant to it.
    """
    asked, searched = np.unique(queries).tolist(), np.unique(passages).tolist()
    if asked == searched:
        return ()
    there = set(zip(*(codes.tolist() for codes in pairs), strict=True))
    lacking = [
        languages[source] if source == target else f"{languages[source]}-{languages[target]}"
        for source in asked
        for target in searched
        if (source, target) not in there
    ]
    parts = [
        f"there are no {kind} in {', '.join(code for number, code in enumerate(languages) if number not in side)}"
        for kind, side in (("queries", asked), ("passages", searched))
        if len(side) < len(languages)
    ]
    if lacking:
        parts.append(f"no relevant passages for {', '.join(lacking[:SHOWN])}{' ...' if len(lacking) > SHOWN else ''}")
    return (f"settings that do not exist are left out: {'; '.join(parts)}",)
