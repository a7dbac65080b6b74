"""Monolingual benchmarks whose corpora do not fit in memory and are searched on disk."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from hybrid_ir.evaluation.benchmarks.benchmark import MONOLINGUAL
from hybrid_ir.evaluation.benchmarks.evaluation_set import LabelledText, Measures
from hybrid_ir.evaluation.benchmarks.grades import Qrels, grades_of
from hybrid_ir.evaluation.benchmarks.missing_passages import Missing
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.records import TextKind


@dataclass(frozen=True)
class StreamedTask:
    """The queries of one language and the corpus that they search.

    Attributes:
        corpus: the corpus, with its language.
        queries: query id -> text, for the queries in `qrels`.
        qrels: query id -> its relevant passages, at least one, with or without grades.
        passages: number of passages that the corpus must have; None for any.
    """

    corpus: Corpus
    queries: Mapping[str, str]
    qrels: Qrels
    passages: int | None = None

    def __post_init__(self) -> None:
        assert self.queries.keys() == self.qrels.keys() and all(self.qrels.values())


@dataclass(frozen=True)
class StreamedBenchmark:
    """A monolingual benchmark whose passages are on disk. See also `EvaluationSet`.

    Attributes:
        name: prefix of its metric names.
        tasks: one for each language, in the order of tables.
        store: where vectors are kept.
        measures: names of measures by kind of setting; all with a cut-off.
        missing: treatment of relevant passages that a corpus lacks (see `keep_known`).
        notes: what the loader left out, and why.
    """

    name: str
    tasks: tuple[StreamedTask, ...]
    store: VectorStore
    measures: Measures | None = None
    missing: Missing = "error"
    notes: tuple[str, ...] = ()
    settings = (MONOLINGUAL,)
    in_memory = has_translations = has_parallel_passages = templated = False

    def texts(self, kind: TextKind) -> Iterator[LabelledText]:
        """See `EvaluationSet`."""
        for task in self.tasks if kind == "query" else ():
            yield from (LabelledText(task.corpus.language, key, text, False) for key, text in task.queries.items())

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(task.corpus.language for task in self.tasks)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of corpora, queries and qrels; equal fingerprints mean equal benchmarks."""
        digest = hashlib.sha256()
        for task in self.tasks:
            digest.update(task.corpus.fingerprint.encode())
            for query, text in task.queries.items():
                grades = sorted(grades_of(task.qrels[query]).items())
                judged = [key if grade == 1 else f"{key}\0{grade}" for key, grade in grades]
                digest.update("\0".join([query, text, *judged]).encode() + b"\n")
        return digest.hexdigest()
