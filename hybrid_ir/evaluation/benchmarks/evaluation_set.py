"""The interface of benchmarks, in memory or on disk."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from hybrid_ir.sources.records import TextKind

Measures = Mapping[str, Sequence[str]]  # kind of setting -> names of measures


class LabelledText(NamedTuple):
    """A query or passage of a benchmark.

    Attributes:
        language: language code.
        id: its id.
        text: the text itself.
        relevant: whether it is a passage that is relevant to some query.
    """

    language: str
    id: str
    text: str
    relevant: bool


class EvaluationSet(Protocol):
    """The interface of a benchmark, in memory (`Benchmark`) or on disk, for evaluation, leakage guard and reports.

    Attributes:
        name: prefix of its metric names.
        languages: language codes in the order of tables.
        settings: the ones of SETTINGS that it is evaluated in.
        measures: its own measures; None for those of the evaluation.
        notes: what its loader left out, and why; kept with every result.
        fingerprint: SHA-256 of its content; equal fingerprints mean equal benchmarks.
        in_memory: whether all texts are in memory. If not, passages are encoded to disk once and searched from there,
            by vectors only, which is too slow for every epoch; measures need a cut-off.
        has_translations: whether any query has a translation.
        has_parallel_passages: whether any query has relevant passages both in its own and in another language.
        templated: whether its texts are filled-in templates and hence resemble each other; the leakage guard then
            counts only equal texts as copies.
    """

    @property
    def name(self) -> str: ...
    @property
    def languages(self) -> tuple[str, ...]: ...
    @property
    def settings(self) -> tuple[str, ...]: ...
    @property
    def measures(self) -> Measures | None: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def in_memory(self) -> bool: ...
    @property
    def has_translations(self) -> bool: ...
    @property
    def has_parallel_passages(self) -> bool: ...
    @property
    def templated(self) -> bool: ...

    def texts(self, kind: TextKind) -> Iterator[LabelledText]:
        """All queries or all passages; a benchmark on disk yields no passages, as they may be too many."""
        ...
