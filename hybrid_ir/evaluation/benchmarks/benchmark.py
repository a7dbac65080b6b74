"""Benchmarks: queries, passages and qrels of a multilingual evaluation set, in memory."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.evaluation_set import LabelledText, Measures
from hybrid_ir.sources.errors import nearest
from hybrid_ir.sources.records import TextKind

MONOLINGUAL, CROSSLINGUAL, MULTILINGUAL = "monolingual", "crosslingual", "multilingual"
SETTINGS = (MONOLINGUAL, CROSSLINGUAL, MULTILINGUAL)
Qrels = Mapping[str, Collection[str] | Mapping[str, int]]  # query -> relevant passages, or passage -> grade above 0


@dataclass(frozen=True)
class TextSet:
    """Texts with ids and languages, in a fixed order.

    Attributes:
        ids: ids, unique over all languages (`de:57286...`).
        texts: the texts; two ids may have the same text.
        languages: int64 (N,), indices into the benchmark's languages.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    languages: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


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
        return digest.hexdigest()

    @cached_property
    def possible_settings(self) -> tuple[str, ...]:
        """The ones of SETTINGS in which some query has a relevant passage in its pool."""
        asked = np.repeat(self.queries.languages, np.diff(self.offsets))
        same = asked == self.passages.languages[self.relevant]
        there = {MONOLINGUAL: same.any(), CROSSLINGUAL: (~same).any(), MULTILINGUAL: True}
        return tuple(kind for kind in SETTINGS if there[kind])

    @classmethod
    def build(
        cls,
        name: str,
        queries: Mapping[str, Mapping[str, str]],
        passages: Mapping[str, Mapping[str, str]],
        qrels: Qrels,
        settings: Sequence[str] = SETTINGS,
        measures: Measures | None = None,
        notes: Sequence[str] = (),
        query_groups: Mapping[str, str] | None = None,
        templated: bool = False,
        relevance_level: int = 1,
    ) -> "Benchmark":
        """Make a benchmark from plain mappings, after checking them.

        Args:
            name: see the class.
            queries: language -> query id -> text. Ids are unique over all languages.
            passages: language -> passage id -> text. Ids are unique over all languages.
            qrels: query id -> ids of all its relevant passages, in every language; or passage id -> grade above 0.
            settings: settings to evaluate in.
            measures: see the class.
            notes: see the class.
            query_groups: query id -> name of its query group, if queries are translations of each other; without it,
                each query is its own group.
            templated: see the class.
            relevance_level: see the class.

        Raises:
            ValueError: an id occurs twice, a text is empty, a pool is empty, a query has no relevant passage, qrels
                name an unknown query or passage, a setting is unknown or has no query with a relevant passage in its
                pool, no passage has the relevance level, or a relevant passage is not in its query's language although
                all pools are monolingual.
        """
        for setting in settings:
            if setting not in SETTINGS:
                near = nearest(setting, SETTINGS, cutoff=0.0)
                raise ValueError(f"benchmark {name}: unknown setting {setting!r}; did you mean {near!r}?")
        languages = tuple(dict.fromkeys([*queries, *passages]))
        if not languages:
            raise ValueError(f"benchmark {name}: no queries and no passages")
        empty = [language for language in languages if not queries.get(language) or not passages.get(language)]
        if empty:
            raise ValueError(f"benchmark {name}: no queries or no passages in {', '.join(empty)}")
        query_set = _text_set(name, "query", languages, queries)
        passage_set = _text_set(name, "passage", languages, passages, descending=True)
        unknown = qrels.keys() - set(query_set.ids)
        if unknown:
            raise ValueError(f"benchmark {name}: qrels name {len(unknown)} unknown queries, such as {min(unknown)!r}")
        position = {passage: index for index, passage in enumerate(passage_set.ids)}
        offsets, relevant, grades = [0], [], []
        for query in query_set.ids:
            judged = grades_of(qrels.get(query, ()))
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
        if not {CROSSLINGUAL, MULTILINGUAL} & set(settings):
            _check_pools(name, query_set, passage_set, np.diff(offsets), relevant)
        group_of = {query: query for query in query_set.ids} if query_groups is None else query_groups
        number: dict[str, int] = {}
        benchmark = cls(
            name=name,
            languages=languages,
            queries=query_set,
            passages=passage_set,
            offsets=np.asarray(offsets, dtype=np.int64),
            relevant=np.asarray(relevant, dtype=np.int64),
            query_groups=np.asarray([number.setdefault(group_of[query], len(number)) for query in query_set.ids]),
            settings=tuple(settings),
            measures=measures,
            notes=tuple(notes),
            templated=templated,
            grades=None if set(grades) == {1} else np.asarray(grades, dtype=np.int64),
            relevance_level=relevance_level,
        )
        for kind in settings:
            if kind not in benchmark.possible_settings:
                raise ValueError(
                    f"benchmark {name} has no {kind} setting: no query of {', '.join(languages)} has a relevant "
                    f"passage in such a pool. Leave {kind!r} out of its settings"
                )
        return benchmark


def grades_of(passages: Collection[str] | Mapping[str, int]) -> dict[str, int]:
    """Passage -> grade; relevant passages without grades have grade 1."""
    return dict(passages) if isinstance(passages, Mapping) else dict.fromkeys(passages, 1)


def check_level(source: str, level: int, grades: Collection[int]) -> None:
    """Raises ValueError if a relevance level is below 1, or above all grades."""
    if level < 1:
        raise ValueError(f"{source}: the relevance level must be at least 1, got {level}")
    if level > max(grades):
        raise ValueError(f"{source}: the relevance level is {level}, but the highest grade is {max(grades)}")


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


def _text_set(
    benchmark: str,
    kind: str,
    languages: tuple[str, ...],
    texts: Mapping[str, Mapping[str, str]],
    *,
    descending: bool = False,
) -> TextSet:
    rows = [(key, text, index) for index, language in enumerate(languages) for key, text in texts[language].items()]
    if descending:
        rows.sort(key=lambda row: row[0], reverse=True)
    seen: set[str] = set()
    for key, text, _ in rows:
        if key in seen:
            raise ValueError(f"benchmark {benchmark}: {kind} id {key!r} occurs twice; ids are unique over languages")
        if not text.strip():
            raise ValueError(f"benchmark {benchmark}: {kind} {key!r} is empty")
        seen.add(key)
    ids, strings, codes = zip(*rows, strict=True)
    return TextSet(ids=ids, texts=strings, languages=np.asarray(codes, dtype=np.int64))
