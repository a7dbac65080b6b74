"""Candidate search: the best passages for every question of a corpus, by an encoder's vectors or a text baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.data.store.tables import Contents
from hybrid_ir.distributed import sum_over_ranks
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.ranking.best_lists import NO_PASSAGE, BestLists
from hybrid_ir.evaluation.ranking.exact_search import search
from hybrid_ir.evaluation.ranking.scoring import Retriever, embed
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.hub.fetch import sha256_of

DIGITS = 12  # of an id, so that ids sort as rows do
NOTHING = NO_PASSAGE
PAIRS = 8192  # scores of gold passages computed at a time


@dataclass(frozen=True)
class PassageCorpus(Corpus):
    """The passages of a parallel corpus in one language, as the engine of large evaluations takes them.

    Attributes:
        contents: the passages in all languages; a passage's id is its row there.
    """

    contents: Contents

    @classmethod
    def of(cls, contents: Contents, language: str) -> "PassageCorpus":
        """The passages that there are in `language`."""
        return cls(language, contents.files, lambda line: (to_id(line.number), line.text), contents)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the texts' file; the language has a folder of its own."""
        return " ".join(sha256_of(path) for path in self.files)

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """At most `size` passages at a time; a line's number is the row."""
        rows = np.flatnonzero(self.contents.presence(self.language))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            texts = self.contents.texts_in(self.language, part)
            yield [Line(self.files[0], row, text.encode()) for row, text in zip(part.tolist(), texts, strict=True)]


@dataclass(frozen=True)
class Pool:
    """Passages of one corpus in some of its languages.

    A passage's number is `language * rows + row`, with `language` counted in `languages`. Of equal scores the greater
    number is the better one, which is the evaluation's rule for ids.

    Attributes:
        contents: the passages in all languages.
        languages: the languages to search.
    """

    contents: Contents
    languages: tuple[str, ...]

    @property
    def corpora(self) -> list[PassageCorpus]:
        """One for each language."""
        return [PassageCorpus.of(self.contents, language) for language in self.languages]

    def numbers(self, language: int, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """The numbers of passages of one language."""
        return np.asarray(language * len(self.contents) + rows.astype(np.int64))

    def positions(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(language, row) of passages."""
        return np.divmod(numbers, len(self.contents))


def to_id(number: int) -> str:
    """A passage id; ids sort as their numbers do."""
    return f"{number:0{DIGITS}d}"


def from_ids(ids: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """The numbers of passage ids."""
    return ids.astype(np.int64)


@dataclass(frozen=True)
class Request:
    """A search of Q questions in one pool.

    Attributes:
        questions: texts of the questions.
        own: int64 (Q,), row of each question's gold passage.
        pool: the passages to search.
        depth: number of passages wanted per question.
    """

    questions: TextSet
    own: NDArray[np.int64]
    pool: Pool
    depth: int


@dataclass(frozen=True)
class Found:
    """The candidates found for Q questions in a pool.

    Attributes:
        numbers: int64 (Q, k), passages of the pool, best first, padded with `NOTHING` if there are fewer than k.
        scores: float32 (Q, k), padded with -inf.
        own: float32 (Q, L), score of the question's gold passage in each language of the pool; NaN if it has none.
    """

    numbers: NDArray[np.int64]
    scores: NDArray[np.float32]
    own: NDArray[np.float32]


def find_by_vectors(
    encoder: Encoder, request: Request, store: VectorStore, query_chunk: int, device: torch.device
) -> Found:
    """Search exactly, by dot product, in one pass over the vectors on disk. Missing vectors are computed first.

    Under `torch.distributed` the ranks share the work and all return the same result; all must call this.

    Raises:
        ValueError: see `VectorStore.encode`, `embed` and `search`; for example, a vector is not finite.
    """
    vectors = [store.encode(encoder, corpus) for corpus in request.pool.corpora]
    queries = embed(encoder, request.questions, "query").to(device)
    own = _GoldScores(queries, request)

    def blocks() -> Iterator[PassageBlock]:
        for language, stored in enumerate(vectors):
            for block in stored.blocks():
                rows = from_ids(block.ids)
                own.look_at(language, rows, block.vectors)
                yield PassageBlock(request.pool.numbers(language, rows), block.vectors)

    best = search(queries, blocks(), request.depth, query_chunk, numbered=True)
    return Found(np.asarray(best.passages), best.scores, own.over_ranks())


class _GoldScores:
    """Collects the score of every question with its gold passage while the passages are streamed."""

    def __init__(self, queries: Tensor, request: Request) -> None:
        self.queries = queries
        self.order = np.argsort(request.own, kind="stable")
        self.sorted = request.own[self.order]
        self.scores = torch.zeros(len(queries), len(request.pool.languages))
        self.seen = torch.zeros(self.scores.shape, dtype=torch.int64)

    def look_at(self, language: int, rows: NDArray[np.int64], vectors: Tensor) -> None:
        """Score the gold passages among `rows` (descending) of one language, whose vectors are (B, D)."""
        span = slice(*np.searchsorted(self.sorted, [rows[-1], rows[0] + 1]))
        positions = np.searchsorted(-rows, -self.sorted[span])
        here = rows[positions] == self.sorted[span]
        queries, passages = (torch.from_numpy(part[here]) for part in (self.order[span], positions))
        for start in range(0, len(queries), PAIRS):
            part = slice(start, start + PAIRS)
            products = self.queries[queries[part]] * vectors[passages[part]].to(self.queries)
            self.scores[queries[part], language] = products.sum(1).cpu()
        self.seen[queries, language] = 1

    def over_ranks(self) -> NDArray[np.float32]:
        scores, seen = sum_over_ranks(self.scores).numpy(), sum_over_ranks(self.seen).numpy()
        return np.where(seen > 0, scores, np.float32(np.nan))


def find_by_index(system: Retriever, request: Request, query_chunk: int) -> Found:
    """Search with a baseline that scores texts, such as BM25. Every rank holds the pool's texts in memory.

    Passages with a score of zero share nothing with the question, so only the tie rule would rank them; they are left
    out.
    """
    pool, questions = request.pool, request.questions
    numbers, texts = _texts(pool)
    count, nothing = len(questions), np.zeros(0, dtype=np.int64)
    passages = TextSet(tuple(map(to_id, numbers.tolist())), texts, np.zeros(len(texts), dtype=np.int64))
    offsets, order = np.zeros(count + 1, dtype=np.int64), np.arange(count)
    scorer = system.scorer(Benchmark("mining", ("all",), questions, passages, offsets, nothing, order))
    scores = scorer.arrange(order, np.arange(len(numbers)))

    k, size = min(request.depth, len(numbers)), -(-query_chunk // scorer.tile) * scorer.tile
    best = BestLists(count, k, scorer.device, numbered=True)
    own = np.full((count, len(pool.languages)), np.nan, dtype=np.float32)
    out = torch.empty(size, len(numbers), device=scorer.device)
    for start in range(0, count, size):
        scores.fill(start, out)
        rows = slice(start, min(start + size, count))
        chunk = out[: rows.stop - start]
        best.offer(torch.arange(rows.start, rows.stop, device=scorer.device), chunk, numbers)
        for language in range(len(pool.languages)):
            wanted = pool.numbers(language, request.own[rows])
            position = np.minimum(np.searchsorted(-numbers, -wanted), len(numbers) - 1)
            score = chunk.cpu().numpy()[np.arange(len(position)), position]
            own[rows, language] = np.where(numbers[position] == wanted, score, np.nan)
    found = best.finish()
    shared = found.scores > 0
    return Found(np.where(shared, found.passages, NOTHING), np.where(shared, found.scores, -np.inf), own)


def _texts(pool: Pool) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """All passages in descending order of their numbers, so that the first of equal scores ranks higher."""
    numbers, texts = [], []
    for language, code in enumerate(pool.languages):
        rows = np.flatnonzero(pool.contents.presence(code))
        numbers.append(pool.numbers(language, rows))
        texts += pool.contents.texts_in(code, rows)
    return np.concatenate(numbers)[::-1], tuple(reversed(texts))
