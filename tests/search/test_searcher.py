"""Searching an index gives what the evaluation gives, in the pool that was asked for."""

from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result_files import write_runs
from hybrid_ir.search.balance import BALANCES
from hybrid_ir.search.index.approximate import FaissConfig, build_approximate
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.queries import Query, pools, read_queries
from hybrid_ir.search.rendering import as_trec
from hybrid_ir.search.searcher import Hit, Searcher
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.trec_run import read_run
from tests.evaluation.benchmarks.miracl_files import write_lines
from tests.evaluation.samples import HashEncoder, parallel_benchmark
from tests.search.corpora import LANGUAGES, make, rows, write_jsonl


def index_of(benchmark: Benchmark, folder: Path) -> Index:
    """The passages of a benchmark, indexed."""
    passages = benchmark.passages
    records = [
        {"id": key, "text": text, "language": benchmark.languages[code]}
        for key, text, code in zip(passages.ids, passages.texts, passages.languages, strict=True)
    ]
    return make(folder / "index", write_jsonl(folder / "corpus.jsonl", records))


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return make(tmp_path / "index", write_jsonl(tmp_path / "corpus.jsonl", rows(200)))


@pytest.mark.parametrize("few", [False, True])
def test_an_index_of_a_benchmark_gives_the_run_of_the_evaluation(few: bool, tmp_path: Path) -> None:
    benchmark = parallel_benchmark(30)
    write_runs(tmp_path, evaluate(HashEncoder(), benchmark, keep=90))
    expected = read_run(tmp_path / "toy.multilingual.trec")
    searcher = Searcher(index_of(benchmark, tmp_path), HashEncoder())
    texts = benchmark.queries.texts
    parts = [texts[start : start + 7] for start in range(0, len(texts), 7)] if few else [texts]  # both ways of search
    hits = [found for part in parts for found in searcher.search(part, k=90)]
    queries = [Query(key, text) for key, text in zip(benchmark.queries.ids, texts, strict=True)]
    (tmp_path / "ours.trec").write_text("".join(as_trec(list(zip(queries, hits, strict=True)))))
    found = read_run(tmp_path / "ours.trec")
    assert found.keys() == expected.keys()
    for query in expected:
        assert list(found[query]) == list(expected[query])  # the same order
        assert found[query] == pytest.approx(expected[query], abs=1e-6)


@pytest.mark.parametrize("balance", BALANCES)
def test_only_the_languages_asked_for_are_searched(index: Index, balance: str) -> None:
    passages = {row["id"]: row for row in rows(200)}
    everything = {hit.id: hit.score for hit in Searcher(index, HashEncoder()).search(["question"], k=200)[0]}
    for languages in (None, ("de",), ("sw", "de")):
        size = index.size(languages or LANGUAGES)
        (hits,) = Searcher(index, HashEncoder()).search(["question"], k=size, languages=languages, balance=balance)
        assert {hit.language for hit in hits} == set(languages or LANGUAGES) and len({hit.id for hit in hits}) == size
        for rank, hit in enumerate(hits, start=1):
            row = passages[hit.id]
            told = (row["language"], row["id"], row.get("title", ""), row["text"])
            assert hit == Hit(rank, hit.score, everything[hit.id], *told)
        assert [(hit.score, hit.id) for hit in hits] == sorted(((hit.score, hit.id) for hit in hits), reverse=True)


def test_faiss_finds_the_same_in_every_way(index: Index) -> None:
    pytest.importorskip("faiss")
    build_approximate(index, FaissConfig(sample=5))
    exact, approximate = (Searcher(index, HashEncoder(), backend) for backend in ("exact", "faiss"))
    for languages in (None, ["de", "sw"]):
        for balance in BALANCES:
            asked: Any = (["one", "two"], 7, languages, balance)
            assert approximate.search(*asked) == exact.search(*asked)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 201}, r"k=201, but .*index has 200 passages; take a k from 1 to 200$"),
        ({"k": 68, "languages": ["de", "de"]}, r"k=68, but .*index has 67 passages in de; take a k from 1 to 67"),
        ({"languages": []}, r"there is no language to search in; .*index has "),
        ({"k": 0}, "k=0, but"),
        ({"languages": ["dee"]}, r"no passage of .*index is in 'dee'; did you mean 'de'\? There is de, en, sw"),
        ({"languages": ["xx"]}, r"in 'xx'; there is de, en, sw"),
    ],
)
def test_searches_that_an_index_cannot_answer_are_refused(index: Index, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Searcher(index, HashEncoder()).search(["question"], **options)


def test_each_question_may_search_its_own_language(index: Index, tmp_path: Path) -> None:
    codes = ("de", "sw", "de")
    lines = [f'{{"id": "{n}", "text": "Wo?", "language": "{code}"}}' for n, code in enumerate(codes)]
    write_lines(tmp_path / "q.jsonl", lines)
    write_lines(tmp_path / "q.tsv", ["id\ttext\tlanguage", *(f"{n}\tWo?\t{code}" for n, code in enumerate(codes))])
    queries = read_queries(tmp_path / "q.jsonl")
    for asked in (queries, read_queries(tmp_path / "q.tsv")):
        assert [query[:3] for query in map(astuple, asked)] == [(str(n), "Wo?", code) for n, code in enumerate(codes)]
    assert pools(index, queries, "own") == {("de",): [0, 2], ("sw",): [1]}
    assert pools(index, queries, None) == {LANGUAGES: [0, 1, 2]}
    assert pools(index, queries, ["sw", "de", "sw"]) == {("sw", "de"): [0, 1, 2]}
    for record, message in (
        ('{"id": "9", "text": "Wo?"}', "query '9' has no language; it is needed with language=own"),
        ('{"id": "9", "text": "Wo?", "language": "sv"}', "the language of query '9': no passage of .* in 'sv'"),
    ):
        write_lines(tmp_path / "q.jsonl", [*lines, record])
        with pytest.raises(InputError, match=rf"q\.jsonl:4: {message}"):
            pools(index, read_queries(tmp_path / "q.jsonl"), "own")
