"""Hard negative mining: search a corpus with its own questions, and keep high-ranked passages that are no answers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import MISSING

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.ranking.scoring import Retriever
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.mining.candidates import Found, Pool, Request, find_by_index, find_by_vectors
from hybrid_ir.mining.known_answers import Answers, Verdict

LANGUAGES = ("passage", "any")


@dataclass
class MiningConfig:
    """How hard negatives are selected from the passages that a search finds.

    Attributes:
        count: negatives per example and passage language (`languages: passage`), or per example (`any`).
        depth: number of best passages considered per question, including known answers.
        skip: number of best passages to leave out, not counting known answers.
        languages: `passage`: each question searches the passages in its own language, so every language of a gold
            passage gets negatives. If the question lacks that language, its first language is used. `any`: the question
            searches all languages, once in each of its own, and the example gets the best passages found; train on
            these with `data.negative_languages=any`.
        max_score_ratio: leave out candidates that score above this share of the gold passage's score, since they are
            probably unlabelled answers (TopK-PercPos of NV-Retriever, Moreira et al., arXiv:2407.15831). The gold
            passage is scored in the candidate's language if it exists in it, else in its best-scoring language. None
            for no limit.
        keep: whether to append the negatives that the corpus already has.
        store: folder of the passage vectors, reused by other searches with the same encoder.
        dtype: type of the vectors on disk, `float16` or `float32`.
        block_size: passages encoded and searched at a time; a killed process loses at most one block.
    """

    count: int = 4
    depth: int = 100
    skip: int = 0
    languages: str = "passage"
    max_score_ratio: float | None = 0.95
    keep: bool = False
    store: str = MISSING
    dtype: str = "float16"
    block_size: int = 8192

    def __post_init__(self) -> None:
        if self.languages not in LANGUAGES:
            raise ValueError(f"mining.languages must be {' or '.join(LANGUAGES)}, got {self.languages!r}")
        if self.count < 1 or self.block_size < 1:
            raise ValueError(
                f"mining.count={self.count} and mining.block_size={self.block_size} must both be at least 1"
            )
        if not 0 <= self.skip < self.depth:
            raise ValueError(
                f"mining.skip={self.skip} must be at least 0 and below mining.depth={self.depth}, to leave candidates"
            )
        if self.max_score_ratio is not None and not 0 < self.max_score_ratio <= 1:
            raise ValueError(
                f"mining.max_score_ratio must be in (0, 1], as a share of the gold passage's score, or null for no "
                f"limit, got {self.max_score_ratio}"
            )


@dataclass
class Mined:
    """The mined negatives of a corpus.

    Attributes:
        passages: negatives of each example, most confusing first, as (score, language, row of the passage).
        counts: number of candidates taken, and number left out by reason.
    """

    passages: list[list[tuple[float, str, int]]]
    counts: Counter[str] = field(default_factory=Counter)


def mine(
    system: Encoder | Retriever,
    corpus: ParallelCorpus,
    config: MiningConfig,
    store: VectorStore,
    query_chunk: int,
    device: torch.device,
) -> Mined:
    """Find hard negatives for every example. A pure function of system, corpus and configuration.

    Under `torch.distributed` all ranks must call this, and all return the same result.
    """
    mined, answers = Mined([[] for _ in range(len(corpus))]), Answers(corpus)
    for examples, request in _requests(corpus, config):
        found = (
            find_by_index(system, request, query_chunk)
            if isinstance(system, Retriever)
            else find_by_vectors(system, request, store, query_chunk, device)
        )
        verdicts = answers.verdicts(examples, found, request.pool, config.skip, config.max_score_ratio)
        for verdict in (Verdict.ANSWER, Verdict.IDENTICAL, Verdict.SKIPPED, Verdict.TOO_CLOSE):
            mined.counts[verdict.name.lower()] += int((verdicts == verdict).sum())
        _choose(mined, config.count, examples, found, verdicts, request.pool, answers)
    for passages in mined.passages:
        passages.sort(key=lambda entry: -entry[0])
    return mined


def _requests(corpus: ParallelCorpus, config: MiningConfig) -> Iterator[tuple[NDArray[np.int64], Request]]:
    """The searches to run, as (example of each question, ascending; the questions and their pool)."""
    questions, passages = corpus.contents("question"), corpus.contents("passage")
    asked, own = corpus.content_rows("question"), corpus.content_rows("passage").astype(np.int64)
    has = np.stack([questions.presence(language)[asked] for language in corpus.languages], axis=1)
    if config.languages == "any":
        searched = tuple(code for code in corpus.languages if passages.presence(code).any())
        examples, languages = np.nonzero(has)
        yield examples, _request(corpus, examples, languages, own, Pool(passages, searched), config.depth)
        return
    for number, code in enumerate(corpus.languages):
        examples = np.flatnonzero(passages.presence(code)[own])
        if len(examples):
            languages = np.where(has[examples, number], number, has[examples].argmax(axis=1))
            yield examples, _request(corpus, examples, languages, own, Pool(passages, (code,)), config.depth)


def _request(
    corpus: ParallelCorpus,
    examples: NDArray[np.int64],
    languages: NDArray[np.int64],
    own: NDArray[np.int64],
    pool: Pool,
    depth: int,
) -> Request:
    contents, rows = corpus.contents("question"), corpus.content_rows("question")[examples]
    texts = np.empty(len(rows), dtype=object)
    for number in np.unique(languages):
        here = languages == number
        texts[here] = contents.texts_in(corpus.languages[number], rows[here])
    keys = zip(corpus.example_ids(examples), languages.tolist(), strict=True)
    ids = tuple(f"{corpus.languages[number]}:{key}" for key, number in keys)
    return Request(TextSet(ids, tuple(texts), languages.astype(np.int64)), own[examples], pool, depth)


def _choose(
    mined: Mined,
    count: int,
    examples: NDArray[np.int64],
    found: Found,
    verdicts: NDArray[np.int8],
    pool: Pool,
    answers: Answers,
) -> None:
    """Give every example the best negatives that its questions found in this pool, without repeated content."""
    candidates = verdicts == Verdict.NEGATIVE
    starts = np.flatnonzero(np.diff(examples, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(examples)], strict=True):
        rows = slice(start, stop)
        here = candidates[rows]
        scores, numbers = found.scores[rows][here], found.numbers[rows][here]
        order = np.lexsort((-numbers, -scores))
        languages, passages = pool.positions(numbers[order])
        groups, texts = set[int](), set[int]()
        chosen = mined.passages[examples[start]]
        taken = 0
        for score, language, row in zip(scores[order].tolist(), languages.tolist(), passages.tolist(), strict=True):
            if taken == count:
                break
            code = pool.languages[language]
            group, text = int(answers.groups[row]), int(answers.digests[row, answers.languages.index(code)])
            if group in groups or text in texts:
                mined.counts["duplicate"] += 1
                continue
            groups.add(group)
            texts.add(text)
            chosen.append((score, code, row))
            taken += 1
        mined.counts["taken"] += taken
        mined.counts["missing"] += count - taken
