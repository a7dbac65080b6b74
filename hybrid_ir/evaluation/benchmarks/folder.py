"""Loads a benchmark from a folder of queries, passages and qrels: BEIR's format with languages (Thakur et al., 2021).

queries.jsonl or .tsv                    id, language, text; and group, if queries are translations of each other
passages.jsonl or .tsv (or corpus.*)     id, language, text, and as they have it a title
qrels.tsv or .jsonl (or qrels/{split}.tsv)   query-id, corpus-id, score; or TREC's four columns

Each may be gzipped (`queries.jsonl.gz`).
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL, MULTILINGUAL, Benchmark
from hybrid_ir.evaluation.benchmarks.evaluation_set import Measures
from hybrid_ir.evaluation.benchmarks.missing_passages import Missing, keep_known
from hybrid_ir.sources.bcp47 import Spellings, canonical
from hybrid_ir.sources.errors import InputError, check_choice
from hybrid_ir.sources.formats.beir import BenchmarkText, read_texts
from hybrid_ir.sources.formats.qrels import Judgement, read_qrels

log = logging.getLogger(__name__)
Texts = Mapping[str, BenchmarkText]
Relevant = dict[str, list[Judgement]]  # query -> judgements of its relevant passages
PLURAL = {"query": "queries", "passage": "passages"}


def load_folder(
    name: str,
    path: str | Path,
    languages: Sequence[str] | None = None,
    language: str | None = None,
    split: str = "test",
    settings: Sequence[str] | None = None,
    measures: Measures | None = None,
    missing: Missing = "error",
    relevance_level: int = 1,
    ignore_identical_ids: bool = False,
    keep_empty: bool = False,
) -> Benchmark:
    """Load a benchmark from a folder.

    Args:
        name: prefix of the metric names.
        path: the folder.
        languages: allowed languages in the order of tables; by default those of the files, in their order.
        language: language of texts whose line has none.
        split: file of `qrels/` to use, if the qrels are in such a folder.
        settings: settings to evaluate in, by default those that exist; with `monolingual` only, relevant passages must
            be in the query's language.
        measures: names of measures by kind of setting; by default those of the evaluation.
        missing: treatment of judged queries and passages that are not in the folder: `error` or `count`.
        relevance_level: lowest grade that measures of binary relevance count as relevant; nDCG uses all grades.
        ignore_identical_ids: whether a query ignores the passage with its own id: in ArguAna and Quora it is the query.
        keep_empty: whether passages without title and text stay in the pool; otherwise they are left out and counted.

    Returns:
        The benchmark, with the ids of the files. Queries without a relevant passage are left out and counted in a note.

    Raises:
        InputError: a file is missing, there are two of a kind, a line is faulty, or an empty passage is relevant; names
            file and line.
        ValueError: `Benchmark.build` raises it.
    """
    folder = Path(path)
    spellings = Spellings()
    queries = read_texts(_file(folder, ("queries",)), language, spellings)
    passages: Texts = read_texts(_file(folder, ("passages", "corpus")), language, spellings, allow_empty=True)
    texts = [*queries.values(), *passages.values()]
    order = list(dict.fromkeys(map(canonical, languages) if languages else (text.language for text in texts)))
    _check_languages(order, texts)
    judgements = read_qrels(_file(folder, ("qrels", f"qrels/{split}")))
    relevant, notes = _relevant(name, judgements, queries, passages, missing)
    _check_pools(relevant, queries, passages, settings)
    if not keep_empty:
        passages, left_out = _without_empty(passages, relevant)
        notes += left_out
    if ignore_identical_ids:
        relevant = {query: [item for item in items if item.passage != query] for query, items in relevant.items()}
    elif copies := sum(_is_passage(queries[query], passages) for query in relevant):
        notes.append(
            f"{copies} queries are passages under the same id and find themselves; ignore_identical_ids=true leaves "
            "these passages out"
        )
    qrels = {query: {item.passage: item.grade for item in items} for query, items in relevant.items() if items}
    if without := len(queries) - len(qrels):
        notes.append(f"{without} of {len(queries)} queries have no relevant passage and are left out")
    notes += spellings.notes
    asked = {query: text for query, text in queries.items() if query in qrels}
    benchmark = Benchmark.build(
        name,
        _by_language(order, asked),
        _by_language(order, passages),
        qrels,
        settings,
        measures,
        notes,
        _query_groups(queries),
        relevance_level=relevance_level,
        ignore_identical_ids=ignore_identical_ids,
        keep_empty=keep_empty,
    )
    for note in benchmark.notes:
        log.warning("benchmark %s: %s", name, note)
    return benchmark


def _relevant(
    name: str, judgements: Sequence[Judgement], queries: Texts, passages: Texts, missing: Missing
) -> tuple[Relevant, list[str]]:
    """Judgements of relevance by query, and notes that count those of queries and passages that are not there.

    Raises:
        InputError: a judged query or passage is not there, and `missing` is `error`.
    """
    check_choice("missing", missing, ("error", "count"))
    unknown = {item.query: item for item in judgements if item.query not in queries}
    absent = {item.passage: item for item in judgements if item.passage not in passages}
    for kind, items in (("query", unknown), ("passage", absent)):
        if items and missing == "error":
            first = min(items.values(), key=lambda item: item.line.number)
            raise first.line.fault(
                f"{kind} {getattr(first, kind)!r} is not among the {PLURAL[kind]} ({len(items)} are not). Complete "
                "them, or have such judgements left out and counted with missing=count"
            )
    notes = [f"{len(unknown)} judged queries are not among the queries and are left out"] if unknown else []
    relevant: Relevant = {}
    for item in judgements:
        if item.relevant and item.query in queries:
            relevant.setdefault(item.query, []).append(item)
    qrels = {query: [item.passage for item in items] for query, items in relevant.items()}
    gone = {passage for passages in qrels.values() for passage in passages} & absent.keys()
    kept, left_out = keep_known(name, qrels, gone, missing)
    left = {query: [item for item in relevant[query] if item.passage not in gone] for query in kept}
    return left, [*notes, *left_out]


def _without_empty(passages: Texts, relevant: Relevant) -> tuple[Texts, list[str]]:
    """The passages with a text, and a note that counts the others. Raises InputError if a relevant one is empty."""
    for item in (item for items in relevant.values() for item in items):
        if not passages[item.passage].text:
            raise passages[item.passage].line.fault(
                f"passage {item.passage!r} is empty, but relevant to query {item.query!r}; complete it, or keep such "
                "passages with keep_empty=true"
            )
    kept = {key: passage for key, passage in passages.items() if passage.text}
    empty = len(passages) - len(kept)
    note = f"{empty} of {len(passages)} passages are empty and are left out; keep_empty=true keeps them"
    return kept, [note] if empty else []


def _is_passage(query: BenchmarkText, passages: Texts) -> bool:
    """Whether the passage with the query's id has its text, next to a title or in other white space."""
    passage = passages.get(query.id)
    return passage is not None and _plain(query.text) in _plain(passage.text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _query_groups(queries: Texts) -> dict[str, str]:
    """Query -> its group, for those that have one. Raises InputError if two queries of a group share a language."""
    seen: dict[tuple[str, str], BenchmarkText] = {}
    for query in queries.values():
        if query.group is not None and (first := seen.setdefault((query.group, query.language), query)) is not query:
            raise query.line.fault(
                f"group {query.group!r} has a query in {query.language} already, in line {first.line.number}: queries "
                "of a group are one question in different languages"
            )
    return {key: query.group for key, query in queries.items() if query.group is not None}


def _file(folder: Path, stems: Sequence[str]) -> Path:
    ends = [f"{end}{packed}" for end in ("jsonl", "tsv") for packed in ("", ".gz")]
    found = [path for stem in stems for end in ends if (path := folder / f"{stem}.{end}").is_file()]
    if not found:
        names = " or ".join(f"{stem}.jsonl or {stem}.tsv" for stem in stems)
        raise InputError(folder, f"there is no {names} (or one of them with .gz)")
    if len(found) > 1:
        raise InputError(folder, f"there are {' and '.join(str(path.relative_to(folder)) for path in found)}; keep one")
    return found[0]


def _check_languages(allowed: Sequence[str], texts: Sequence[BenchmarkText]) -> None:
    for text in texts:
        if text.language not in allowed:
            raise text.line.fault(f"the language is {text.language!r}; the benchmark is in {', '.join(allowed)}")


def _check_pools(relevant: Relevant, queries: Texts, passages: Texts, settings: Sequence[str] | None) -> None:
    if settings is None or {CROSSLINGUAL, MULTILINGUAL} & set(settings):
        return
    for item in (item for items in relevant.values() for item in items):
        query, passage = queries[item.query], passages[item.passage]
        if query.language != passage.language:
            raise item.line.fault(
                f"passage {item.passage!r} is in {passage.language} and query {item.query!r} in {query.language}: in "
                f"the {MONOLINGUAL} setting it is in no pool of the query"
            )


def _by_language(order: Sequence[str], texts: Texts) -> dict[str, dict[str, str]]:
    sides: dict[str, dict[str, str]] = {language: {} for language in order}
    for key, text in texts.items():
        sides[text.language][key] = text.text
    return sides
