"""MIRACL's files: what is read, what is drawn, and whose scores may bear the name."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hybrid_ir.evaluation.benchmarks.miracl import load_miracl, load_miracl_pool
from hybrid_ir.evaluation.benchmarks.subset import first_by_hash, sampled_passages
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.miracl_files import PASSAGES, MiraclFiles
from hybrid_ir.sources.hub.fetch import UnreachableError
from tests.evaluation.benchmarks.miracl_files import english, write_lines, write_miracl, write_passages
from tests.evaluation.samples import HashEncoder

# ../shared/data/SOURCE.md
MINI_PASSAGES = {"ar": 4253, "en": 4901, "fa": 4931, "id": 4379, "sw": 3597, "te": 2239, "yo": 705, "zh": 4854}
MINI_QUERIES = {"ar": 115, "en": 13, "fa": 39, "id": 142, "sw": 120, "te": 70, "yo": 17, "zh": 46}
MEASURES = {"monolingual": ["ndcg@10", "recall@100"]}


def test_real_files_are_read_whole(shared_data: Path) -> None:
    benchmark = load_miracl_pool("mini_miracl", shared_data)
    counts = [
        dict(zip(benchmark.languages, np.bincount(side.languages).tolist(), strict=True))
        for side in (benchmark.queries, benchmark.passages)
    ]
    assert counts == [MINI_QUERIES, MINI_PASSAGES]
    assert len(benchmark.relevant) == 754 and benchmark.notes == () and benchmark.settings == ("monolingual",)
    texts = dict(zip(benchmark.passages.ids, benchmark.passages.texts, strict=True))
    assert texts["en:1001707#0"].startswith("Jaffa Cakes\nJaffa Cakes are biscuit-sized cakes introduced by McVitie")


def test_titles_go_before_texts_ids_after_languages_and_files_by_number(tmp_path: Path) -> None:
    files, corpus = MiraclFiles(tmp_path, tmp_path), tmp_path / "miracl-corpus-v1.0-en"
    lines = [{"docid": "7#0", "title": " Ulm ", "text": "a city"}, {"docid": "7#1", "title": "", "text": "its river"}]
    write_lines(corpus / "docs-0.jsonl.gz", [json.dumps(line) for line in lines])
    assert files.languages() == ["en"] and files.documents("en") == (corpus / "docs-0.jsonl.gz",)
    passages = sampled_passages(english(*files.documents("en")), (), None, seed=1)
    assert passages == {"en:7#0": "Ulm\na city", "en:7#1": "its river"}
    for number in range(1, 11):
        write_passages(corpus / f"docs-{number}.jsonl.gz", [number])
    assert [path.name for path in files.documents("en")] == [f"docs-{number}.jsonl.gz" for number in range(11)]
    (corpus / "docs-4.jsonl.gz").unlink()
    with pytest.raises(InputError, match=r"docs-4\.jsonl\.gz: there is no such file"):
        files.documents("en")


def test_damaged_passages_are_named(tmp_path: Path) -> None:
    path = write_passages(tmp_path / "docs-0.jsonl.gz", range(5000))
    path.write_bytes(path.read_bytes()[:-2000])
    twice = write_passages(tmp_path / "docs.jsonl", [*range(10), 4])
    for file, size, message in (
        (path, None, r"docs-0\.jsonl\.gz:\d+: the compressed file is damaged after this line"),
        (twice, None, r"docs\.jsonl:11: passage id 'en:4#0' occurs twice"),
        (twice, 20, r"docs\.jsonl:11: passage id 'en:4#0' occurs twice"),
    ):
        with pytest.raises(InputError, match=message):
            sampled_passages(english(file), (), size, seed=1)


@pytest.mark.parametrize(
    ("kind", "lines", "message"),
    [
        ("topics", ["1\tWhat?", "2 What?"], "dev.tsv:2: expected 2 tab-separated columns, found 1"),
        ("topics", ["1\tWhat?", "1\tWho?"], "dev.tsv:2: query id '1' occurs twice"),
        ("topics", ["1\t "], "dev.tsv:1: the id or text of query '1' is empty"),
        (
            "qrels",
            ["0\tQ0\t0#0\t1", "0\tQ0\t0#0\t0"],
            "dev.tsv:2: passage '0#0' was judged before for query '0'",
        ),
        ("qrels", ["99\tQ0\t0#0\t1"], "dev.tsv:1: names query '99', which is not among the topics"),
        ("qrels", [], "there are no judgements in the file"),
    ],
)
def test_faults_are_named_with_file_and_line(kind: str, lines: list[str], message: str, tmp_path: Path) -> None:
    folder = write_miracl(tmp_path / "toy", ["en"])
    write_lines(folder / "miracl-v1.0-en" / kind / f"{kind}.miracl-v1.0-en-dev.tsv", lines)
    for load in (
        lambda: load_miracl_pool("toy", tmp_path),
        lambda: load_miracl(tmp_path, tmp_path, "toy", None, ["en"]),
    ):
        with pytest.raises(InputError) as error:
            load()
        assert message in str(error.value) and str(folder) in str(error.value)


def test_judged_queries_without_a_topic_are_counted_on_request_and_files_may_be_gzipped(tmp_path: Path) -> None:
    folder = write_miracl(tmp_path / "toy", ["en"])
    expected = load_miracl_pool("toy", tmp_path).fingerprint
    for kind, more in (("topics", []), ("qrels", ["99\tQ0\t0#0\t1"])):
        path = folder / "miracl-v1.0-en" / kind / f"{kind}.miracl-v1.0-en-dev.tsv"
        write_lines(path.with_name(f"{path.name}.gz"), [*path.read_text().splitlines(), *more])
        path.unlink()
    benchmark = load_miracl_pool("toy", tmp_path, missing="count")
    assert benchmark.fingerprint == expected
    assert benchmark.notes[0] == "en: 1 judged queries are not among the topics and are left out"


def test_only_the_whole_benchmark_is_called_miracl(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"miracl/miracl-corpus \(revision d921ec7e.*paths.data=DIR"):
        load_miracl(tmp_path, tmp_path)
    write_miracl(tmp_path / "miracl", list(PASSAGES), passages=10)
    for name, options, message in (
        ("miracl", {"languages": ["en", "sw"]}, "2 of 18 languages and the split dev is another task .*=miracl_part"),
        ("miracl", {"split": "train"}, "18 of 18 languages and the split train is another task"),
        ("miracl", {}, "2 of 5 files in ar is another task"),
        ("toy", {"languages": ["tlh"]}, "has no tlh; it has ar, bn, de"),
    ):
        with pytest.raises(ValueError, match=message):
            load_miracl(tmp_path, tmp_path, name, "miracl", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a pool in memory is another task"):
        load_miracl_pool("miracl", tmp_path)
    with pytest.raises(ValueError, match="benchmark toy has no xx; it has ar"):
        load_miracl_pool("toy", tmp_path, "miracl", languages=["xx"])
    part = load_miracl(tmp_path, tmp_path / "store", "miracl_part", "miracl", ["sw"])
    counted = replace(part, tasks=(replace(part.tasks[0], passages=PASSAGES["sw"]),))
    with pytest.raises(ValueError, match="miracl_part in sw has 131924 passages, and these files have 10"):
        evaluate(HashEncoder(), counted, MEASURES)


def test_a_sample_is_that_of_a_sort_by_hash_and_does_not_depend_on_the_files(tmp_path: Path) -> None:
    one = write_passages(tmp_path / "one.jsonl", range(300))
    two = [write_passages(tmp_path / f"{part}.jsonl", range(part, 300, 2)) for part in (1, 0)]
    always = {"en:5#0", "en:250#0", "en:absent"}
    for size in (0, 1, 50, 400):
        drawn = sampled_passages(english(one), always, size, seed=3)
        assert drawn == sampled_passages(english(*two), always, size, seed=3)
        others = [f"en:{number}#0" for number in range(300) if f"en:{number}#0" not in always]
        assert set(drawn) == first_by_hash(others, size, seed=3) | (always - {"en:absent"})
        assert len(drawn) == min(size, 298) + 2


def test_a_sample_is_kept_until_its_files_change(tmp_path: Path) -> None:
    corpus = english(write_passages(tmp_path / "docs.jsonl", range(100)))
    first = sampled_passages(corpus, (), 10, 1, tmp_path / "cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hybrid_ir.evaluation.benchmarks.subset._draw", None)  # nothing is drawn again
        assert sampled_passages(corpus, (), 10, 1, tmp_path / "cache") == first
    write_passages(tmp_path / "docs.jsonl", range(100, 300))
    assert sampled_passages(corpus, (), 10, 1, tmp_path / "cache") != first
