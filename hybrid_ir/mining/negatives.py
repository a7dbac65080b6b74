"""Hard negative mining: search a corpus with its own questions, and keep high-ranked passages that are no answers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.evaluation.benchmarks.benchmark import TextSet
from hybrid_ir.evaluation.ranking.scoring import Retriever
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.mining.candidates import Found, Pool, Request, find_by_index, find_by_vectors
from hybrid_ir.mining.known_answers import Answers, Verdict
from hybrid_ir.mining.mining_config import MiningConfig


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
