"""One side of a benchmark in memory: texts with ids and languages, in a fixed order."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TextSet:
    """Texts with ids and languages, in a fixed order.

    Attributes:
        ids: ids, unique over all languages (`de:57286...`).
        texts: the texts; two ids may have the same text.
        languages: int64 (N,), indices into the benchmark's languages.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    languages: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


def text_set(
    benchmark: str,
    kind: str,
    languages: tuple[str, ...],
    texts: Mapping[str, Mapping[str, str]],
    *,
    descending: bool = False,
    keep_empty: bool = False,
) -> TextSet:
    """Texts from language -> id -> text, in the order of the languages or by descending id.

    Args:
        benchmark: name of the benchmark, for errors.
        kind: query or passage, for errors.
        languages: the languages of the benchmark; some may have no texts.
        texts: language -> id -> text.
        descending: whether ids descend.
        keep_empty: whether a text may be empty.

    Raises:
        ValueError: an id occurs twice, or a text is empty.
    """
    rows = [
        (key, text, index) for index, language in enumerate(languages) for key, text in texts.get(language, {}).items()
    ]
    if descending:
        rows.sort(key=lambda row: row[0], reverse=True)
    seen: set[str] = set()
    for key, text, _ in rows:
        if key in seen:
            raise ValueError(f"benchmark {benchmark}: {kind} id {key!r} occurs twice; ids are unique over languages")
        if not text.strip() and not keep_empty:
            raise ValueError(f"benchmark {benchmark}: {kind} {key!r} is empty")
        seen.add(key)
    ids, strings, codes = zip(*rows, strict=True)
    return TextSet(ids=ids, texts=strings, languages=np.asarray(codes, dtype=np.int64))
