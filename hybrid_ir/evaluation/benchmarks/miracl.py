"""Loads MIRACL dev: the full benchmark over corpora on disk, and smaller pools in memory under other names."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from hybrid_ir.evaluation.benchmarks.benchmark import MONOLINGUAL, Benchmark
from hybrid_ir.evaluation.benchmarks.evaluation_set import Measures
from hybrid_ir.evaluation.benchmarks.hard_negatives import HardNegatives
from hybrid_ir.evaluation.benchmarks.missing_passages import Missing, keep_known
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark, StreamedTask
from hybrid_ir.evaluation.benchmarks.subset import first_by_hash, sampled_passages
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.sources.errors import InputError, check_choice, choose_languages
from hybrid_ir.sources.formats.miracl_files import PASSAGES, MiraclFiles, PassageParser
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.formats.qrels import Judgement

log = logging.getLogger(__name__)
PASSAGES_PER_FILE = 500_000


def load_miracl(
    root: str | Path,
    store: str | Path,
    name: str = "miracl",
    folder: str | None = None,
    languages: Sequence[str] | None = None,
    split: str = "dev",
    measures: Measures | None = None,
    missing: Missing = "error",
    dtype: str = "float16",
    block_size: int = 8192,
) -> StreamedBenchmark:
    """MIRACL over its full corpora: monolingual, with its own measures.

    Args:
        root: the data folder (`paths.data`).
        store: folder for vectors; see `VectorStore` for `dtype` and `block_size`. At 768 dimensions in float16, the
            106 million passages of all languages take 163 GB.
        name: prefix of the metric names.
        folder: folder in `root` with MIRACL's files, by default `name`; missing files are downloaded from the hub.
        languages: languages in the order of tables; by default all 18.
        split: split of queries and qrels.
        measures: names of measures by kind of setting.
        missing: treatment of judged queries and relevant passages that are not in the files: `error` or `count`.

    Raises:
        ValueError: the name is `miracl`, but languages, files or split are not the full ones; a language is unknown.
        InputError: a file is faulty.
        UnreachableError: a file is missing, and the hub cannot be reached.
    """
    chosen = choose_languages(f"benchmark {name}", languages, PASSAGES)
    if name == "miracl" and (set(chosen) != set(PASSAGES) or split != "dev"):
        raise _needs_own_name(f"{len(chosen)} of {len(PASSAGES)} languages and the split {split}")
    files = MiraclFiles.find(Path(root) / (folder or name), root, chosen, split)
    tasks, notes = [], []
    for language in chosen:
        topics, note = _topics(files, language, split, missing)
        documents = files.documents(language)
        expected = PASSAGES[language] if name == "miracl" else None
        if expected and len(documents) != -(-expected // PASSAGES_PER_FILE):
            raise _needs_own_name(f"{len(documents)} of {-(-expected // PASSAGES_PER_FILE)} files in {language}")
        corpus = Corpus(language, documents, PassageParser(language))
        tasks.append(StreamedTask(corpus, topics.queries, topics.relevant, expected))
        notes += note
    return StreamedBenchmark(
        name, tuple(tasks), VectorStore(Path(store), dtype, block_size), measures, missing, tuple(notes)
    )


def load_miracl_pool(
    name: str,
    root: str | Path,
    folder: str | None = None,
    languages: Sequence[str] | None = None,
    split: str = "dev",
    passages: int | None = None,
    queries: int | None = None,
    seed: int = 1,
    cache: str | Path | None = None,
    runs: str | Path | None = None,
    depth: int = 100,
    measures: Measures | None = None,
    missing: Missing = "error",
) -> Benchmark:
    """A pool in MIRACL's format that fits in memory. Its scores are not MIRACL's: smaller pools are easier.

    Args:
        name: prefix of the metric names; not `miracl`.
        root: the data folder (`paths.data`).
        folder: folder in `root`, by default `name`; missing files are downloaded from the hub.
        languages: languages in the order of tables; by default all languages of the files.
        split: split of queries and qrels.
        passages: number of unjudged passages, drawn by `seed`, to add to the judged ones; None for the whole corpus.
        queries: number of queries of each language, drawn by `seed`; None for all.
        seed: seed of both samples, which depend only on it and on ids.
        cache: folder that keeps drawn passages, so that corpora are read once.
        runs: folder with one or more TREC runs for each language (see `HardNegatives`), whose best passages of each
            query are added to the pool.
        depth: number of passages of each query and run.
        measures: names of measures by kind of setting.
        missing: treatment of judged queries and relevant passages that are not in the files: `error` or `count`.

    Raises:
        ValueError: the name is `miracl`; a language is unknown; a passage occurs twice; a run has other queries or
            passages than the files.
        InputError: a file is faulty.
        UnreachableError: a file is missing, and the hub cannot be reached.
    """
    if name == "miracl":
        raise _needs_own_name("a pool in memory")
    directory = Path(root) / (folder or name)
    wanted = list(languages or PASSAGES)
    files = MiraclFiles.find(directory, root, wanted, split)
    chosen = choose_languages(f"benchmark {name}", languages, files.languages())
    texts: dict[str, Mapping[str, str]] = {}
    asked: dict[str, dict[str, str]] = {}
    qrels: dict[str, dict[str, int]] = {}
    notes: list[str] = []
    for language in chosen:
        topics, note = _topics(files, language, split, missing)
        notes += note
        drawn = first_by_hash(topics.queries, queries, seed)
        asked[language] = {query: text for query, text in topics.queries.items() if query in drawn}
        qrels |= {query: topics.relevant[query] for query in asked[language]}
        judged = {passage for query in asked[language] for passage in topics.judged[query]}
        hard: dict[str, Path] = {}
        if runs is not None:
            negatives = HardNegatives(runs, language, depth, topics.known)
            hard = negatives.of(asked[language])
            notes.append(negatives.note)
        corpus = Corpus(language, files.documents(language), PassageParser(language))
        texts[language] = sampled_passages(corpus, judged | hard.keys(), passages, seed, cache)
        _check_found(hard, texts[language])
    pool = set().union(*texts.values())
    absent = {passage for relevant in qrels.values() for passage in relevant} - pool
    kept, left_out = keep_known(name, qrels, absent, missing)
    asked = {lang: {query: text for query, text in side.items() if query in kept} for lang, side in asked.items()}
    return Benchmark.build(name, asked, texts, kept, (MONOLINGUAL,), measures, [*notes, *left_out])


class _Topics:
    """The queries of one language that have a relevant passage, with their qrels.

    Attributes:
        known: ids of all queries, with or without a relevant passage.
        queries: query id -> text.
        relevant: query id -> grades of its relevant passages.
        judged: query id -> ids of all judged passages.
        unknown: judged queries that have no text, unless `missing` makes them an error.
    """

    def __init__(self, texts: Mapping[str, str], judgements: Iterable[Judgement], missing: Missing) -> None:
        self.known = texts.keys()
        self.unknown: set[str] = set()
        self.relevant: dict[str, dict[str, int]] = {}
        self.judged: dict[str, list[str]] = {}
        for item in judgements:
            if item.query not in texts:
                if missing == "error":
                    query = item.query.split(":", 1)[1]
                    raise item.line.fault(
                        f"names query {query!r}, which is not among the topics; complete them, or have such judgements "
                        "left out and counted with missing=count"
                    )
                self.unknown.add(item.query)
                continue
            self.judged.setdefault(item.query, []).append(item.passage)
            if item.relevant:
                self.relevant.setdefault(item.query, {})[item.passage] = item.grade
        self.queries = {query: text for query, text in texts.items() if query in self.relevant}


def _topics(files: MiraclFiles, language: str, split: str, missing: Missing) -> tuple[_Topics, list[str]]:
    check_choice("missing", missing, ("error", "count"))
    texts = files.queries(language, split)
    topics = _Topics(texts, files.judgements(language, split), missing)
    notes = []
    if topics.unknown:
        notes.append(f"{language}: {len(topics.unknown)} judged queries are not among the topics and are left out")
    if without := len(texts) - len(topics.queries):
        notes.append(f"{language}: {without} of {len(texts)} queries have no relevant passage and are left out")
    for note in notes:
        log.warning("%s", note)
    return topics, notes


def _check_found(hard: Mapping[str, Path], texts: Collection[str]) -> None:
    absent = hard.keys() - set(texts)
    if absent:
        first = min(absent)
        fault = f"{len(absent)} passages are not in the corpus, such as {first!r}; is it a run over these files?"
        raise InputError(hard[first], fault)


def _needs_own_name(what: str) -> ValueError:
    return ValueError(
        f"{what} is another task than MIRACL's dev set over its full corpora in 18 languages, and its scores must not "
        f"pass for those of miracl; give it a name of its own, such as name=miracl_part, with folder=miracl"
    )
