"""The searcher: an index with its encoder, which answers questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.ranking.best_lists import BestPassages
from hybrid_ir.evaluation.ranking.exact_search import quick_search
from hybrid_ir.evaluation.ranking.scoring import embed
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.search.balance import CENTROID, NONE, Ranked, by_centroid, in_turns, unbalanced
from hybrid_ir.search.index.approximate import Approximate
from hybrid_ir.search.index.index_folder import Index


@dataclass(frozen=True)
class Hit:
    """A passage found for a question.

    Attributes:
        rank: rank in the list, from 1.
        score: the list is sorted by it; see `hybrid_ir.search.balance`.
        similarity: dot product of question and passage; equals the score without balancing.
        language: language of the passage.
        id: id of the passage.
        title: title of the passage, or an empty string.
        text: text of the passage, without the title.
    """

    rank: int
    score: float
    similarity: float
    language: str
    id: str
    title: str
    text: str


class Searcher:
    """Searches an index with its encoder, by the same exact search as the evaluation.

    Args:
        index: the index to search.
        encoder: the encoder that the index was made with.
        backend: `exact` or `faiss`.
        device: device on which scores are computed.
        query_chunk: see `exact_search.search`; affects memory, not results.

    Raises:
        InputError: `faiss` is requested, but the index was made without it.
    """

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        backend: str = "exact",
        device: str | torch.device = "cpu",
        query_chunk: int = 1024,
    ) -> None:
        self.index, self.encoder, self.device, self.query_chunk = index, encoder, device, query_chunk
        self.approximate = Approximate(index) if backend == "faiss" else None

    def search(
        self, questions: Sequence[str], k: int = 10, languages: Sequence[str] | None = None, balance: str = NONE
    ) -> list[list[Hit]]:
        """The k best passages for each question. Arguments as in `encode` and `rank`."""
        return self.rank(self.encode(questions), k, languages, balance)

    def encode(self, questions: Sequence[str]) -> Tensor:
        """Vectors of the questions, float32 (Q, D). Raises ValueError if one is not finite."""
        numbers = tuple(str(number) for number in range(1, len(questions) + 1))
        return embed(self.encoder, TextSet(numbers, tuple(questions), np.zeros(len(questions), np.int64)), "query")

    def rank(
        self, questions: Tensor, k: int = 10, languages: Sequence[str] | None = None, balance: str = NONE
    ) -> list[list[Hit]]:
        """The k best passages for each question.

        Args:
            questions: float32 (Q, D), as returned by `encode`.
            k: number of passages per question, at most the number of passages searched.
            languages: languages to search; None for all.
            balance: `none`, `centroid` or `round_robin`; see `hybrid_ir.search.balance`.

        Raises:
            ValueError: a language is unknown, none is given, or they have fewer than k passages.
            InputError: a file of the index is damaged.
        """
        pool = self.index.languages if languages is None else tuple(dict.fromkeys(languages))
        self.index.check_pool(pool, k)
        lists = self._ranked(questions.to(self.device), k, pool, balance)
        found = np.array([hit.id for hits in lists for hit in hits])
        stored = self.index.lookup(found, pool)
        return [
            [Hit(rank, hit.score, hit.similarity, (passage := stored[hit.id]).language, hit.id.decode(), passage.title,
                 passage.text) for rank, hit in enumerate(hits, start=1)]
            for hits in lists
        ]  # fmt: skip

    def _ranked(self, questions: Tensor, k: int, pool: tuple[str, ...], balance: str) -> list[list[Ranked]]:
        if balance == NONE:
            return unbalanced(self._best(questions, k, pool), k)
        best = {language: self._best(questions, k, (language,)) for language in pool}
        if balance == CENTROID:
            exact = questions.cpu().double()
            means = {code: (exact @ self.index.centroids[code].double()).float().numpy() for code in pool}
            return by_centroid(best, means, k)
        return in_turns(best, k)

    def _best(self, questions: Tensor, k: int, languages: tuple[str, ...]) -> BestPassages:
        if self.approximate is not None:
            return self.approximate.search(questions.cpu(), k, languages)
        return quick_search(questions, self.index.blocks(languages), k, self.index.longest, self.query_chunk)
