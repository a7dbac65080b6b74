"""Loads a benchmark from a folder of queries, passages and qrels: BEIR's format with languages (Thakur et al., 2021).

queries.jsonl or .tsv                    id, language, text
passages.jsonl or .tsv (or corpus.*)     id, language, text, and as they have it a title
qrels.tsv or .jsonl (or qrels/{split}.tsv)   query-id, corpus-id, score; or TREC's four columns
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL, MULTILINGUAL, SETTINGS, Benchmark
from hybrid_ir.evaluation.benchmarks.evaluation_set import Measures
from hybrid_ir.evaluation.benchmarks.missing_passages import Missing, keep_known
from hybrid_ir.sources.bcp47 import Spellings, canonical
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.beir import BenchmarkText, read_texts
from hybrid_ir.sources.formats.qrels import Judgement, read_qrels

log = logging.getLogger(__name__)


def load_folder(
    name: str,
    path: str | Path,
    languages: Sequence[str] | None = None,
    language: str | None = None,
    split: str = "test",
    settings: Sequence[str] = SETTINGS,
    measures: Measures | None = None,
    missing: Missing = "error",
) -> Benchmark:
    """Load a benchmark from a folder.

    Args:
        name: prefix of the metric names.
        path: the folder.
        languages: allowed languages in the order of tables; by default those of the files, in their order.
        language: language of texts whose line has none.
        split: file of `qrels/` to use, if the qrels are in such a folder.
        settings: settings to evaluate in; with `monolingual` only, relevant passages must be in the query's language.
        measures: names of measures by kind of setting; by default those of the evaluation.
        missing: treatment of relevant passages that are not in the folder: `error` or `count`.

    Returns:
        The benchmark, with the ids of the files. Queries without a relevant passage are left out and counted in a note.

    Raises:
        InputError: a file is missing, there are two of a kind, or a line is faulty; names file and line.
        ValueError: `Benchmark.build` raises it.
    """
    folder = Path(path)
    spellings = Spellings()
    queries = read_texts(_file(folder, ("queries",)), language, spellings)
    passages = read_texts(_file(folder, ("passages", "corpus")), language, spellings)
    texts = [*queries.values(), *passages.values()]
    order = list(dict.fromkeys(map(canonical, languages) if languages else (text.language for text in texts)))
    _check_languages(order, texts)
    judgements = read_qrels(_file(folder, ("qrels", f"qrels/{split}")))
    relevant: dict[str, list[str]] = {}
    absent: dict[str, Judgement] = {}
    for item in judgements:
        if item.query not in queries:
            raise item.line.fault(f"query {item.query!r} is not among the queries")
        if item.passage not in passages:
            absent.setdefault(item.passage, item)
        elif item.relevant:
            _check_pool(item, queries[item.query], passages[item.passage], settings)
        if item.relevant:
            relevant.setdefault(item.query, []).append(item.passage)
    if absent and missing == "error":
        first = next(iter(absent.values()))
        raise first.line.fault(
            f"passage {first.passage!r} is not among the passages ({len(absent)} are not). Complete them, or have such "
            "judgements left out and counted with missing=count"
        )
    kept, notes = keep_known(name, relevant, {key for key, item in absent.items() if item.relevant}, missing)
    without = len(queries) - len(relevant)
    if without:
        notes = (f"{without} of {len(queries)} queries have no relevant passage and are left out", *notes)
    notes = (*notes, *spellings.notes)
    for note in notes:
        log.warning("benchmark %s: %s", name, note)
    asked = {query: text for query, text in queries.items() if query in kept}
    sides = _by_language(order, asked), _by_language(order, passages)
    return Benchmark.build(name, *sides, kept, settings, measures, notes)


def _file(folder: Path, stems: Sequence[str]) -> Path:
    found = [path for stem in stems for end in ("jsonl", "tsv") if (path := folder / f"{stem}.{end}").is_file()]
    if not found:
        names = " or ".join(f"{stem}.jsonl or {stem}.tsv" for stem in stems)
        raise InputError(folder, f"there is no {names}")
    if len(found) > 1:
        raise InputError(folder, f"there are {' and '.join(str(path.relative_to(folder)) for path in found)}; keep one")
    return found[0]


def _check_languages(allowed: Sequence[str], texts: Sequence[BenchmarkText]) -> None:
    for text in texts:
        if text.language not in allowed:
            raise text.line.fault(f"the language is {text.language!r}; the benchmark is in {', '.join(allowed)}")


def _check_pool(item: Judgement, query: BenchmarkText, passage: BenchmarkText, settings: Sequence[str]) -> None:
    if query.language != passage.language and not {CROSSLINGUAL, MULTILINGUAL} & set(settings):
        raise item.line.fault(
            f"passage {item.passage!r} is in {passage.language} and query {item.query!r} in {query.language}: in the "
            f"{MONOLINGUAL} setting it is in no pool of the query"
        )


def _by_language(order: Sequence[str], texts: Mapping[str, BenchmarkText]) -> dict[str, dict[str, str]]:
    sides: dict[str, dict[str, str]] = {language: {} for language in order}
    for key, text in texts.items():
        sides[text.language][key] = text.text
    return sides
