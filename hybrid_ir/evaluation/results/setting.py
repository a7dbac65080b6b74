"""One (query language, pool) combination of a benchmark."""

from dataclasses import dataclass

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL

ALL = "all"
RUN = "run"


@dataclass(frozen=True)
class Setting:
    """One combination.

    Attributes:
        kind: monolingual, crosslingual or multilingual; `RUN` for a run made elsewhere, whose languages are not known.
        query_language: the language of its queries.
        pool: the language of the passages that are ranked, or `ALL`.
    """

    kind: str
    query_language: str
    pool: str

    @property
    def label(self) -> str:
        """How metric names say which: `de`, and for a crosslingual setting `de-en` (query language first)."""
        return f"{self.query_language}-{self.pool}" if self.kind == CROSSLINGUAL else self.query_language
