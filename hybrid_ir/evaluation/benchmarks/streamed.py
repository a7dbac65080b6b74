"""Benchmarks whose corpora do not fit in memory: every query searches the corpus of its own language."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hybrid_ir.evaluation.benchmarks.benchmark import MONOLINGUAL, Measures
from hybrid_ir.evaluation.benchmarks.known import Missing
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.sources.formats.passages import Corpus


@dataclass(frozen=True)
class StreamedTask:
    """The queries of one language and the corpus that they search.

    Attributes:
        corpus: with its language.
        queries: query id -> text, of the queries in `qrels`.
        qrels: query id -> ids of its relevant passages, at least one.
        passages: how many the corpus must have; None where any number will do.
    """

    corpus: Corpus
    queries: Mapping[str, str]
    qrels: Mapping[str, Sequence[str]]
    passages: int | None = None

    def __post_init__(self) -> None:
        assert self.queries.keys() == self.qrels.keys() and all(self.qrels.values())


@dataclass(frozen=True)
class StreamedBenchmark:
    """What is searched, by whom, and what counts as found; monolingual.

    Attributes:
        name: prefix of its metric names.
        tasks: one a language, in the order that tables show.
        store: where vectors are kept.
        measures: names by kind of setting; all with a cut.
        missing: what to do about relevant passages that a corpus does not have (see `keep_known`).
        notes: what the loader left out, and why.
    """

    name: str
    tasks: tuple[StreamedTask, ...]
    store: VectorStore
    measures: Measures | None = None
    missing: Missing = "error"
    notes: tuple[str, ...] = ()
    settings = (MONOLINGUAL,)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(task.corpus.language for task in self.tasks)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of corpora, queries and qrels: the same number means that the same thing is judged."""
        digest = hashlib.sha256()
        for task in self.tasks:
            digest.update(task.corpus.fingerprint.encode())
            for query, text in task.queries.items():
                digest.update("\0".join([query, text, *sorted(task.qrels[query])]).encode() + b"\n")
        return digest.hexdigest()
