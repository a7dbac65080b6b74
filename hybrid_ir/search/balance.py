"""Language balancing of result lists, for encoders that score passages of some languages higher than others.

Both rules start from the exact best passages of each language and keep the order within a language.

`centroid`: a passage's score is its similarity minus the mean similarity of the question to all passages of the
passage's language, q . p - q . mean(language). For every question, the scores of each language then have mean 0, so a
constant vector that the encoder adds to all passages of a language has no effect. Subtracting the mean vector of a
language is the centring of Libovicky, Rosa and Fraser (On the Language Neutrality of Pre-trained Multilingual
Representations, Findings of EMNLP 2020). Passages that are relevant in only one language stay on top. If all passages
of a language are about one topic, its bias is overestimated.

`round_robin`: languages take turns. Each round has the next best passage of every language that still has one, in the
order of their scores. Among the first n hits, for any n, the numbers of hits of two languages differ by at most 1,
unless one of them has no more passages. Relevance decides only within a round; the score of a hit is 1 / rank.
"""

from collections.abc import Mapping
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.ranking.best_lists import BestPassages

NONE, CENTROID, ROUND_ROBIN = BALANCES = ("none", "centroid", "round_robin")


class Ranked(NamedTuple):
    """A passage in a result list.

    Attributes:
        score: the list is sorted by score descending, then id descending.
        similarity: dot product of question and passage.
        id: the id in UTF-8.
    """

    score: float
    similarity: float
    id: bytes


def unbalanced(best: BestPassages, k: int) -> list[list[Ranked]]:
    """Result lists without balancing: the score is the similarity."""
    return [[Ranked(score, score, key) for score, key in row][:k] for row in _rows(best)]


def by_centroid(
    best: Mapping[str, BestPassages], means: Mapping[str, NDArray[np.float32]], k: int
) -> list[list[Ranked]]:
    """Result lists by similarity minus the question's mean similarity to the passage's language.

    Args:
        best: the best k passages of each language for Q questions.
        means: language -> float32 (Q,), dot products of the questions with the language's mean vector.
        k: length of the lists.
    """
    lists: list[list[Ranked]] = [[] for _ in range(len(next(iter(means.values()))))]
    for language, top in best.items():
        for found, row, mean in zip(lists, _rows(top), means[language], strict=True):
            found += [Ranked(float(np.float32(score) - mean), score, key) for score, key in row]
    return [sorted(found, key=lambda hit: (hit.score, hit.id), reverse=True)[:k] for found in lists]


def in_turns(best: Mapping[str, BestPassages], k: int) -> list[list[Ranked]]:
    """Result lists in which languages take turns. Arguments as in `by_centroid`."""
    lists = []
    for rows in zip(*(_rows(top) for top in best.values()), strict=True):
        rounds = (sorted(filter(None, turn), reverse=True) for turn in zip_longest(*rows))
        hits = [hit for turn in rounds for hit in turn][:k]
        lists.append([Ranked(1 / rank, score, key) for rank, (score, key) in enumerate(hits, start=1)])
    return lists


def _rows(best: BestPassages) -> list[list[tuple[float, bytes]]]:
    """(score, id) of the passages found for each question, without padding."""
    rows = zip(best.scores.tolist(), best.passages.tolist(), strict=True)
    return [[(score, key) for score, key in zip(*row, strict=True) if key] for row in rows]
