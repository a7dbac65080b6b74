"""Benchmarks: queries, passages and qrels of a multilingual evaluation set, in memory."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.absent_settings import absent_settings
from hybrid_ir.evaluation.benchmarks.evaluation_set import LabelledText, Measures
from hybrid_ir.evaluation.benchmarks.grades import Qrels, check_level, grades_of
from hybrid_ir.evaluation.benchmarks.text_set import TextSet, text_set
from hybrid_ir.sources.errors import nearest
from hybrid_ir.sources.records import TextKind

MONOLINGUAL, CROSSLINGUAL, MULTILINGUAL = "monolingual", "crosslingual", "multilingual"
SETTINGS = (MONOLINGUAL, CROSSLINGUAL, MULTILINGUAL)


@dataclass(frozen=True)
class Benchmark:
    """A benchmark in memory: queries, passages and qrels in several languages. See also `EvaluationSet`.

    Attributes:
        name: prefix of its metric names; a reduced pool or query set needs a different name.
        languages: language codes in the order of tables.
        queries: all queries of all languages.
        passages: all passages of all languages, SORTED BY ID DESCENDING, so that among equal scores the first position
            ranks first (trec_eval's rule).
        offsets: int64 (Q + 1,); `relevant[offsets[q]:offsets[q + 1]]` are query q's relevant passages.
        relevant: int64 (R,), positions in `passages`, ascending within a query: all with a grade above 0.
        query_groups: int64 (Q,), the query group of each query; queries of one group are translations of each other.
        settings: the ones of SETTINGS that it is evaluated in.
        measures: names of measures by kind of setting.
        notes: what its loader left out, and why.
        templated: whether its texts are filled-in templates.
        grades: int64 (R,), the grade of each of `relevant`; None if all are 1.
        relevance_level: the lowest grade that measures of binary relevance count as relevant; nDCG uses all grades.
        ignored: int64 (Q,), position of the one passage that is in no pool of the query; -1 for none. None if every
            query searches every passage.
    """

    name: str
    languages: tuple[str, ...]
    queries: TextSet
    passages: TextSet
    offsets: NDArray[np.int64]
    relevant: NDArray[np.int64]
    query_groups: NDArray[np.int64]
    settings: tuple[str, ...] = SETTINGS
    measures: Measures | None = None
    notes: tuple[str, ...] = ()
    templated: bool = False
    grades: NDArray[np.int64] | None = None
    relevance_level: int = 1
    ignored: NDArray[np.int64] | None = None

    in_memory = True

    @cached_property
    def has_translations(self) -> bool:
        """See `EvaluationSet`."""
        return bool((np.bincount(self.query_groups) > 1).any())

    @cached_property
    def has_parallel_passages(self) -> bool:
        """See `EvaluationSet`."""
        query = np.repeat(np.arange(len(self.queries)), np.diff(self.offsets))
        own = self.queries.languages[query] == self.passages.languages[self.relevant]
        return bool(np.intersect1d(query[own], query[~own]).size)

    def texts(self, kind: TextKind) -> Iterator[LabelledText]:
        """See `EvaluationSet`."""
        side = self.queries if kind == "query" else self.passages
        relevant = np.zeros(len(side), dtype=bool)
        if kind == "passage":
            relevant[self.relevant] = True
        rows = zip(side.languages.tolist(), side.ids, side.texts, relevant.tolist(), strict=True)
        return (LabelledText(self.languages[language], *rest) for language, *rest in rows)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of ids, texts, languages and qrels; equal fingerprints mean equal benchmarks."""
        digest = hashlib.sha256("\0".join(self.languages).encode())
        for side in (self.queries, self.passages):
            for key, text in zip(side.ids, side.texts, strict=True):
                digest.update(f"{key}\0{text}\0".encode())
            digest.update(side.languages.tobytes())
        digest.update(self.offsets.tobytes() + self.relevant.tobytes())
        if self.grades is not None:
            digest.update(f"level {self.relevance_level}".encode() + self.grades.tobytes())
        if self.ignored is not None:
            digest.update(b"ignored" + self.ignored.tobytes())
        return digest.hexdigest()

    @property
    def relevant_languages(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The languages of the query and of the passage of each of `relevant`: int64 (R,) each."""
        asked = np.repeat(self.queries.languages, np.diff(self.offsets))
        return asked, self.passages.languages[self.relevant]

    @cached_property
    def possible_settings(self) -> tuple[str, ...]:
        """The ones of SETTINGS in which some query has a relevant passage in its pool."""
        asked, found = self.relevant_languages
        same = asked == found
        there = {MONOLINGUAL: same.any(), CROSSLINGUAL: (~same).any(), MULTILINGUAL: True}
        return tuple(kind for kind in SETTINGS if there[kind])

    @classmethod
    def build(
        cls,
        name: str,
        queries: Mapping[str, Mapping[str, str]],
        passages: Mapping[str, Mapping[str, str]],
        qrels: Qrels,
        settings: Sequence[str] | None = SETTINGS,
        measures: Measures | None = None,
        notes: Sequence[str] = (),
        query_groups: Mapping[str, str] | None = None,
        templated: bool = False,
        relevance_level: int = 1,
        ignore_identical_ids: bool = False,
        keep_empty: bool = False,
    ) -> "Benchmark":
        """Make a benchmark from plain mappings, after checking them.

        Args:
            name: see the class.
            queries: language -> query id -> text. Ids are unique over all languages.
            passages: language -> passage id -> text, in the same or in other languages. Ids are unique over all
                languages.
            qrels: query id -> ids of all its relevant passages, in every language; or passage id -> grade above 0.
            settings: settings to evaluate in; None for those that exist.
            measures: see the class.
            notes: see the class.
            query_groups: query id -> name of its query group, if queries are translations of each other; a query
                without one is its own group.
            templated: see the class.
            relevance_level: see the class.
            ignore_identical_ids: whether a query ignores the passage with its own id, in pools and qrels.
            keep_empty: whether passages may be empty.

        Raises:
            ValueError: an id occurs twice, a text is empty, there are no queries or no passages, a query has no
                relevant passage, qrels name an unknown query or passage, a setting is unknown or has no query with a
                relevant passage in its pool, no passage has the relevance level, or a relevant passage is not in its
                query's language although all pools are monolingual.
        """
        for setting in settings or ():
            if setting not in SETTINGS:
                near = nearest(setting, SETTINGS, cutoff=0.0)
                raise ValueError(f"benchmark {name}: unknown setting {setting!r}; did you mean {near!r}?")
        languages = tuple(dict.fromkeys([*queries, *passages]))
        for kind, texts in (("queries", queries), ("passages", passages)):
            if not any(texts.values()):
                raise ValueError(f"benchmark {name}: there are no {kind}")
        query_set = text_set(name, "query", languages, queries)
        passage_set = text_set(name, "passage", languages, passages, descending=True, keep_empty=keep_empty)
        unknown = qrels.keys() - set(query_set.ids)
        if unknown:
            raise ValueError(f"benchmark {name}: qrels name {len(unknown)} unknown queries, such as {min(unknown)!r}")
        position = {passage: index for index, passage in enumerate(passage_set.ids)}
        offsets, relevant, grades = [0], [], []
        for query in query_set.ids:
            judged = grades_of(qrels.get(query, ()))
            if ignore_identical_ids:
                judged.pop(query, None)
            if not judged:
                raise ValueError(f"benchmark {name}: query {query!r} has no relevant passage")
            missing = [passage for passage in judged if passage not in position]
            if missing:
                raise ValueError(f"benchmark {name}: qrels of query {query!r} name unknown passage {missing[0]!r}")
            found = sorted((position[passage], grade) for passage, grade in judged.items())
            relevant += [passage for passage, _ in found]
            grades += [grade for _, grade in found]
            offsets.append(len(relevant))
        check_level(f"benchmark {name}", relevance_level, grades)
        if settings is not None and not {CROSSLINGUAL, MULTILINGUAL} & set(settings):
            _check_pools(name, query_set, passage_set, np.diff(offsets), relevant)
        groups = query_groups or {}
        number: dict[tuple[bool, str], int] = {}
        group_of = [number.setdefault((key in groups, groups.get(key, key)), len(number)) for key in query_set.ids]
        benchmark = cls(
            name=name,
            languages=languages,
            queries=query_set,
            passages=passage_set,
            offsets=np.asarray(offsets, dtype=np.int64),
            relevant=np.asarray(relevant, dtype=np.int64),
            query_groups=np.asarray(group_of),
            settings=tuple(settings or ()),
            measures=measures,
            notes=tuple(notes),
            templated=templated,
            grades=None if set(grades) == {1} else np.asarray(grades, dtype=np.int64),
            relevance_level=relevance_level,
            ignored=_identical(query_set, position) if ignore_identical_ids else None,
        )
        if settings is None:
            benchmark = replace(benchmark, settings=benchmark.possible_settings)
        for kind in benchmark.settings:
            if kind not in benchmark.possible_settings:
                raise ValueError(
                    f"benchmark {name} has no {kind} setting: no query of {', '.join(languages)} has a relevant "
                    f"passage in such a pool. Leave {kind!r} out of its settings"
                )
        absent = absent_settings(languages, query_set.languages, passage_set.languages, benchmark.relevant_languages)
        return replace(benchmark, notes=(*notes, *absent))


def _identical(queries: TextSet, position: Mapping[str, int]) -> NDArray[np.int64] | None:
    """Positions of the passages with the queries' own ids, -1 for none; None if there are none at all."""
    own = np.asarray([position.get(query, -1) for query in queries.ids], dtype=np.int64)
    return own if (own >= 0).any() else None


def _check_pools(
    benchmark: str, queries: TextSet, passages: TextSet, counts: NDArray[np.int64], relevant: Sequence[int]
) -> None:
    query = np.repeat(np.arange(len(queries)), counts)
    foreign = np.flatnonzero(queries.languages[query] != passages.languages[relevant])
    if len(foreign):
        first = foreign[0]
        raise ValueError(
            f"benchmark {benchmark}: passage {passages.ids[relevant[first]]!r} is in another language than query "
            f"{queries.ids[query[first]]!r}, to which it is relevant: in the {MONOLINGUAL} setting it is in no pool"
        )
