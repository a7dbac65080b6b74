"""The base classes of retrieval measures: how a measure is named, computed, read and shown.

A measure is a class in one of the modules of `hybrid_ir.evaluation.measures.definitions`; its instances differ by the
cut-off. Tables, reports, W&B and the documentation read its attributes, so a new measure needs only a class and a line
in docs/measures.md.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.measures.rank_lists import NO_CUT, RankLists, Values
from hybrid_ir.sources.errors import nearest


class Direction(Enum):
    """Which values of a measure are better."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    ZERO = "0 is best"
    NEITHER = "neither high nor low is better"


class Unit(Enum):
    """The unit of a measure's values; the enum's value is the number of decimals in tables."""

    SHARE = 4
    RANKS = 1


class Cutoff(Enum):
    """Whether a measure's name takes a cut-off, the k of `@k`."""

    NONE = auto()
    OPTIONAL = auto()
    REQUIRED = auto()


class Needs(Flag):
    """The data that a measure needs in addition to the ranks of relevant passages."""

    RANKS = 0
    ALL_LANGUAGES = auto()
    """The pool of all languages; the measure is undefined in other settings."""
    LANGUAGES = auto()
    """The languages of queries and passages."""
    TOP = auto()
    """The best passages, relevant or not, instead of the ranks of relevant ones."""
    TRANSLATIONS = auto()
    """Queries that are translations of each other."""
    PARALLEL_PASSAGES = auto()
    """Relevant passages both in the query's language and in others."""


@dataclass(frozen=True)
class Measure(ABC):
    """A measure with a value for each query; subclasses define it by class attributes.

    Attributes:
        cutoff: the k of `@k`, or None.
        language: the language of `language_share_de@10` and the like; None otherwise.
        kind: the name without cut-off.
        short: its name in papers (`mAP`).
        definition: the value of one query, and the source.
        direction: which values are better.
        unit: unit of the values.
        cut: whether the name takes a cut-off.
        needs: data needed to compute it.
        per_language: whether there is one value for each language of the passages.
        scale: how to read values, for captions; empty if the direction suffices.
    """

    cutoff: int | None = None
    language: str | None = None

    kind: ClassVar[str]
    short: ClassVar[str]
    definition: ClassVar[str]
    direction: ClassVar[Direction] = Direction.HIGHER
    unit: ClassVar[Unit] = Unit.SHARE
    cut: ClassVar[Cutoff] = Cutoff.OPTIONAL
    needs: ClassVar[Needs] = Needs.RANKS
    per_language: ClassVar[bool] = False
    scale: ClassVar[str] = ""

    @classmethod
    def parse(cls, name: str) -> "Measure":
        """The measure with this name (`map`, `ndcg@10`).

        Raises:
            ValueError: the name is unknown, or its cut-off is missing or not allowed.
        """
        kind, cutoff, language = _parts(name)
        found = kinds().get(kind)
        if found is None:
            known = [f"{each.kind}@10" if each.cut is Cutoff.REQUIRED else each.kind for each in kinds().values()]
            known += [f"{each.kind}@10" for each in kinds().values() if each.cut is Cutoff.OPTIONAL]
            near = nearest(name.lower(), known, cutoff=0.5)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)} (any k after @)"
            raise ValueError(f"unknown measure {name!r}; {hint}")
        if cutoff is None and found.cut is Cutoff.REQUIRED:
            raise ValueError(f"measure {name!r} needs a cut-off, such as {kind}@10")
        if cutoff is not None and found.cut is Cutoff.NONE:
            raise ValueError(f"measure {name!r}: {kind} is defined over the full ranking and takes no cut-off")
        return found(cutoff, language)

    @property
    def name(self) -> str:
        """The name in metric names and configurations, such as `language_share_de@10`."""
        kind = self.kind if self.language is None else f"{self.kind}_{self.language}"
        return kind if self.cutoff is None else f"{kind}@{self.cutoff}"

    @property
    def title(self) -> str:
        """The name in papers, such as `mAP` or `R@10`."""
        short = self.short if self.language is None else f"{self.short} {self.language}"
        return short if self.cutoff is None else f"{short}@{self.cutoff}"

    @property
    def compares_languages(self) -> bool:
        """Whether the measure is defined only in the pool of all languages."""
        return Needs.ALL_LANGUAGES in self.needs

    def of_languages(self, languages: Sequence[str]) -> "list[Measure]":
        """The measures that this name stands for in a benchmark with these passage languages."""
        if not self.per_language or self.language is not None:
            return [self]
        return [type(self)(self.cutoff, language) for language in languages]

    def badness(self, value: float) -> float:
        """A sort key for values: lower is better."""
        if self.direction is Direction.LOWER:
            return value
        return abs(value) if self.direction is Direction.ZERO else -value


class RankMeasure(Measure):
    """A measure computed from the ranks of the relevant passages.

    Attributes:
        graded: whether it weighs passages by their grades; others know only whether a passage is relevant.
    """

    graded: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, lists: RankLists) -> Values:
        """The value of each query: float64 (Q,), NaN for a query without a value."""

    def at_level(self, lists: RankLists, level: int) -> Values:
        """The value of each query if passages are relevant from the grade `level` on, trec_eval's `-l`.

        A graded measure uses all grades. As in trec_eval, a query without a relevant passage has the value 0; measures
        that compare languages are undefined for it (NaN).
        """
        if self.graded or (level == 1 and lists.grades is None):
            return self(lists)
        answerable, relevant = lists.at_level(level)
        values = np.full(len(answerable), np.nan if self.compares_languages else 0.0)
        if answerable.any():
            values[answerable] = self(relevant)
        return values

    @property
    def last(self) -> int:
        """The last rank that counts."""
        return self.cutoff or NO_CUT


class TopMeasure(Measure):
    """A measure computed from the best passages of each query in the pool of all languages, relevant or not."""

    cut = Cutoff.REQUIRED
    needs = Needs.ALL_LANGUAGES | Needs.LANGUAGES | Needs.TOP

    @abstractmethod
    def __call__(self, benchmark: Benchmark, lists: NDArray[np.int64]) -> Values:
        """Values of all queries of a benchmark: float64 (Q,), NaN for a query without a value.

        Args:
            benchmark: the benchmark.
            lists: int64 (Q, k), positions of the best passages in `Benchmark.passages`, best first.
        """


@cache
def kinds() -> dict[str, type[Measure]]:
    """Every measure by its kind: the classes of all modules in `definitions`."""
    package = import_module("hybrid_ir.evaluation.measures.definitions")
    for module in sorted(iter_modules(package.__path__), key=lambda module: module.name):
        import_module(f"{package.__name__}.{module.name}")
    found: dict[str, type[Measure]] = {}
    for each in (*RankMeasure.__subclasses__(), *TopMeasure.__subclasses__()):
        assert each.kind not in found, f"two measures are called {each.kind}"
        found[each.kind] = each
    return found


def measure_of(metric: str) -> Measure | None:
    """The measure in the name of a metric (`xquad_r/monolingual/map/de`); None for a metric without one."""
    first, *rest = metric.split("/")
    for part in rest or [first]:
        if _parts(part)[0] in kinds():
            return Measure.parse(part)
    return None


def badness(metric: str, value: float) -> float:
    """A sort key for a metric's values: lower is better. Without a known measure, higher values are better."""
    measure = measure_of(metric)
    return -value if measure is None else measure.badness(value)


def better(metric: str, value: float, than: float) -> bool:
    """Whether a value of a metric is better than another."""
    return badness(metric, value) < badness(metric, than)


def _parts(name: str) -> tuple[str, int | None, str | None]:
    """Kind, cut-off and language of a measure's name; the kind may be unknown."""
    match = re.fullmatch(r"(.+?)(?:@([1-9]\d*))?", name)
    kind, cutoff = (match[1], match[2]) if match else (name, None)
    language = None
    for each in kinds().values():
        if each.per_language and kind.startswith(f"{each.kind}_"):
            kind, language = each.kind, kind.removeprefix(f"{each.kind}_")
    return kind, int(cutoff) if cutoff else None, language
