"""Languages in balance: what is done about an encoder that scores passages of some languages higher than others.

Both rules start from the exact best of each language, and leave the order within a language as it is.

`centroid`: a passage's score is its similarity minus the mean similarity of the question to all passages of the
passage's language, q . p - q . mean(language). For every question, each language's scores have the mean 0; and what an
encoder adds to all passages of a language, as far as it is the same vector for each of them, changes neither scores nor
ranks. Removing the mean vector of a language is the centring of Libovicky, Rosa and Fraser (On the Language Neutrality
of Pre-trained Multilingual Representations, Findings of EMNLP 2020). Passages that are relevant in one language alone
stay in front; a language whose passages all are about one topic is held to be more biased than it is.

`round_robin`: languages take turns. Each round has the next best passage of every language that still has one, in the
order of their scores. In the first n hits, however many, the numbers of hits of two languages differ by at most 1,
unless one of them has no more passages. Relevance counts within rounds alone; the score of a hit is 1 / rank.
"""

from collections.abc import Mapping
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.ranking.best_lists import BestPassages


class Ranked(NamedTuple):
    """A passage in the list of a question.

    Attributes:
        score: what the list is sorted by, descending, then by id, descending.
        similarity: dot product of question and passage.
        id: UTF-8.
    """

    score: float
    similarity: float
    id: bytes


def unbalanced(best: BestPassages, k: int) -> list[list[Ranked]]:
    """The lists as they are, the score being the similarity."""
    return [[Ranked(score, score, key) for score, key in row][:k] for row in _rows(best)]


def by_centroid(
    best: Mapping[str, BestPassages], means: Mapping[str, NDArray[np.float32]], k: int
) -> list[list[Ranked]]:
    """Lists by similarity minus the mean similarity to the passage's language.

    Args:
        best: the best k passages of each language for Q questions.
        means: float32 (Q,) for each language, the dot products of questions and the language's mean vector.
        k: length of a list.
    """
    lists: list[list[Ranked]] = [[] for _ in range(len(next(iter(means.values()))))]
    for language, top in best.items():
        for found, row, mean in zip(lists, _rows(top), means[language], strict=True):
            found += [Ranked(float(np.float32(score) - mean), score, key) for score, key in row]
    return [sorted(found, key=lambda hit: (hit.score, hit.id), reverse=True)[:k] for found in lists]


def in_turns(best: Mapping[str, BestPassages], k: int) -> list[list[Ranked]]:
    """Lists in which languages take turns; the arguments are those of `by_centroid`."""
    lists = []
    for rows in zip(*(_rows(top) for top in best.values()), strict=True):
        rounds = (sorted(filter(None, turn), reverse=True) for turn in zip_longest(*rows))
        hits = [hit for turn in rounds for hit in turn][:k]
        lists.append([Ranked(1 / rank, score, key) for rank, (score, key) in enumerate(hits, start=1)])
    return lists


def _rows(best: BestPassages) -> list[list[tuple[float, bytes]]]:
    """(score, id) of each question's passages, as many as there are."""
    rows = zip(best.scores.tolist(), best.passages.tolist(), strict=True)
    return [[(score, key) for score, key in zip(*row, strict=True) if key] for row in rows]
