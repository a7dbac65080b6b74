"""A folder as a benchmark: every accepted form, and every fault with its file and line."""

import json
from pathlib import Path

import numpy as np
import pytest

from hybrid_ir.evaluation.baselines.bm25 import BM25
from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS
from hybrid_ir.evaluation.benchmarks.folder import load_folder
from hybrid_ir.evaluation.benchmarks.subset import subset
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES, evaluate
from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.result import Result, Setting
from hybrid_ir.sources.errors import InputError
from tests.evaluation.benchmarks.miracl_files import write_lines
from tests.evaluation.samples import HashEncoder

QUERIES = ["id\tlanguage\ttext", "q1\ten\tWhere is Ulm?", "q2\tde\tWo liegt Ulm?"]
PASSAGES = ["id\tlanguage\ttext", "p1\ten\tUlm is a city.", "p2\tde\tUlm ist eine Stadt.", "p3\tde\tBonn am Rhein."]
QRELS = ["query-id\tcorpus-id\tscore", "q1\tp1\t1", "q1\tp2\t2", "q2\tp2\t1", "q2\tp1\t1", "q2\tp3\t0"]
FILES = {"queries.tsv": QUERIES, "passages.tsv": PASSAGES, "qrels.tsv": QRELS}


def write_folder(folder: Path, **changed: list[str] | None) -> Path:
    """The files above, with changes by stem: other lines, or None for no file."""
    for name, lines in FILES.items():
        content = changed.get(name.removesuffix(".tsv"), lines)
        if content is not None:
            write_lines(folder / name, content)
    return folder


def as_json(lines: list[str], **names: str) -> list[str]:
    header, *rows = [line.split("\t") for line in lines]
    keys = [names.get(key, key) for key in header]
    return [json.dumps(dict(zip(keys, row, strict=True))) for row in rows]


def test_a_folder_becomes_a_benchmark(tmp_path: Path) -> None:
    benchmark = load_folder("mine", write_folder(tmp_path))
    assert benchmark.languages == ("en", "de") and benchmark.queries.ids == ("q1", "q2")
    assert benchmark.passages.ids == ("p3", "p2", "p1") and benchmark.passages.texts[1] == "Ulm ist eine Stadt."
    assert benchmark.offsets.tolist() == [0, 2, 4] and benchmark.relevant.tolist() == [1, 2, 1, 2]
    assert evaluate(HashEncoder(), benchmark).macro.keys() >= {"mine/monolingual/map", "mine/rank_distance"}
    more = load_folder("mine", write_folder(tmp_path / "more", queries=[*QUERIES, "q3\ten\tWhat is Bonn?"]))
    assert more.queries.ids == ("q1", "q2")
    assert more.notes == ("1 of 3 queries have no relevant passage and are left out",)
    passages = ["id\ttitle\ttext", "p1\tUlm\tA city.", "p2\t\tAnother.", "p3\tBonn\tA third."]
    titled = write_folder(tmp_path / "titled", queries=["id\ttext", "q1\tWhere?", "q2\tWho?"], passages=passages)
    english = load_folder("mine", titled, language="en", settings=["monolingual"])
    assert english.languages == ("en",) and english.passages.texts == ("Bonn\nA third.", "Another.", "Ulm\nA city.")


def test_every_form_is_the_same_benchmark(tmp_path: Path) -> None:
    expected = load_folder("mine", write_folder(tmp_path / "tsv")).fingerprint
    beir = tmp_path / "beir"
    write_lines(beir / "queries.jsonl", as_json(QUERIES, id="_id"))
    write_lines(beir / "corpus.jsonl", as_json(PASSAGES))
    write_lines(beir / "qrels" / "test.tsv", QRELS)
    trec = write_folder(tmp_path / "trec", qrels=[f"{q} 0 {p} {g}" for q, p, g in map(str.split, QRELS[1:])])
    lines = write_folder(tmp_path / "json", qrels=None)
    write_lines(lines / "qrels.jsonl", as_json(QRELS))
    floats = write_folder(tmp_path / "floats", qrels=[*(f"{line}.0" for line in QRELS[1:]), QRELS[1], "", " "])
    header = (floats / "qrels.tsv").read_text()
    (floats / "qrels.tsv").write_text(f"{QRELS[0]}\n{header}")
    packed = tmp_path / "packed"
    for name, lines_ in FILES.items():
        write_lines(packed / f"{name}.gz", [*lines_, ""])
    json_packed = write_folder(tmp_path / "json_packed", qrels=None, queries=None)
    write_lines(json_packed / "qrels.jsonl.gz", as_json(QRELS))
    write_lines(json_packed / "queries.jsonl.gz", [*as_json(QUERIES), ""])
    order = [1, 2, 0]
    other = [["id", "language", "text"], *(line.split("\t") for line in PASSAGES[1:])]
    turned = write_folder(tmp_path / "turned", passages=["\t".join(row[at] for at in order) for row in other])
    for folder in (beir, trec, lines, floats, packed, json_packed, turned):
        assert load_folder("mine", folder).fingerprint == expected, folder


def test_unknown_passages_are_left_out_and_counted_on_request(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, qrels=[*QRELS, "q1\tp9\t1", "q2\tp8\t0"])
    with pytest.raises(InputError, match=r"qrels\.tsv:7: passage 'p9' is not among the passages \(2 are not\)"):
        load_folder("mine", folder)
    benchmark = load_folder("mine", folder, missing="count")
    assert benchmark.fingerprint == load_folder("mine", write_folder(tmp_path / "whole")).fingerprint
    assert benchmark.notes[0].startswith("1 passages judged relevant are not in the pool")
    unknown = write_folder(tmp_path / "unknown", qrels=[*QRELS, "q9\tp1\t1"])
    queries = load_folder("mine", unknown, missing="count")
    assert queries.fingerprint == benchmark.fingerprint
    assert queries.notes == ("1 judged queries are not among the queries and are left out",)
    with pytest.raises(ValueError, match="`missing` must be 'error' or 'count', got 'ignore'"):
        load_folder("mine", folder, missing="ignore")  # type: ignore[arg-type]


def test_grades_are_gains_of_ndcg_and_other_measures_have_a_level(tmp_path: Path) -> None:
    """In all settings as in trec_eval; a query without a passage of the level has the value 0."""
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    random = np.random.default_rng(0)
    languages = ("en", "de")
    texts = {side: ["id\tlanguage\ttext", *(f"{side}{i}\t{languages[i % 2]}\t{side} {i}" for i in range(30))]
             for side in ("queries", "passages")}  # fmt: skip
    qrels = {
        f"queries{q}": {f"passages{p}": int(random.integers(-1, 4)) for p in random.permutation(30)[:15]}
        for q in range(30)
    }
    rows = [f"{query}\t{passage}\t{grade}" for query, judged in qrels.items() for passage, grade in judged.items()]
    folder = write_folder(tmp_path, **texts, qrels=[QRELS[0], *rows])
    benchmark = load_folder("mine", folder, relevance_level=2)
    assert benchmark.fingerprint != load_folder("mine", folder).fingerprint
    names = {"map": "map", "ndcg": "ndcg", "ndcg@3": "ndcg_cut_3", "recall@5": "recall_5"}
    result = evaluate(HashEncoder(), benchmark, {kind: [*names] for kind in SETTINGS}, keep=30)
    top = result.top["multilingual"]
    for entry in result.settings:
        pool = {f"passages{i}" for i in range(30) if entry.setting.pool in (languages[i % 2], "all")}
        run, judged = {}, {}
        for query, passages, scores in zip(top.queries, top.passages, top.scores, strict=True):
            found = zip((key.decode() for key in passages), scores.tolist(), strict=True)
            run[query] = {key: score for key, score in found if key in pool}
            judged[query] = {key: grade for key, grade in qrels[query].items() if key in pool}
        wanted = {"map", "ndcg", "ndcg_cut.3", "recall.5"}
        theirs = pytrec_eval.RelevanceEvaluator(judged, wanted, relevance_level=2).evaluate(run)
        for ours, other in names.items():
            expected = [theirs[query][other] for query in entry.queries]
            np.testing.assert_allclose(entry.values[Measure.parse(ours)], expected, rtol=0, atol=1e-12, err_msg=ours)
    part = subset(benchmark, 5, 100, seed=1)
    query = np.repeat(part.queries.ids, np.diff(part.offsets)).tolist()
    judged = zip(query, (part.passages.ids[passage] for passage in part.relevant), strict=True)
    assert [qrels[asked][passage] for asked, passage in judged] == part.grades.tolist() and part.relevance_level == 2


def test_ids_may_hold_spaces_in_files_with_tabs(tmp_path: Path) -> None:
    spaced = {stem: [line.replace("q1", "first question").replace("p2", "Ulm (Donau)") for line in lines]
              for stem, lines in (("queries", QUERIES), ("passages", PASSAGES), ("qrels", QRELS))}  # fmt: skip
    benchmark = load_folder("mine", write_folder(tmp_path, **spaced))
    trec = [line.replace("\t", "\t0\t", 1) for line in spaced["qrels"][1:]]
    assert load_folder("mine", write_folder(tmp_path / "trec", **spaced | {"qrels": trec})).fingerprint == (
        benchmark.fingerprint
    )
    assert benchmark.queries.ids[0] == "first question" and "Ulm (Donau)" in benchmark.passages.ids


def test_a_title_without_a_text_is_the_text_and_empty_passages_are_left_out(tmp_path: Path) -> None:
    passages = [
        {"_id": "p1", "language": "en", "title": "Ulm", "text": ""},
        {"_id": "p2", "language": "de", "title": "Bonn", "text": None},
        {"_id": "p3", "language": "de", "title": " ", "text": "\n"},
    ]
    folder = write_folder(tmp_path, passages=None)
    write_lines(folder / "corpus.jsonl", [json.dumps(passage) for passage in passages])
    benchmark = load_folder("mine", folder)
    assert benchmark.passages.texts == ("Bonn", "Ulm")
    assert benchmark.notes == ("1 of 3 passages are empty and are left out; keep_empty=true keeps them",)
    kept = load_folder("mine", folder, keep_empty=True)
    assert kept.passages.texts == ("", "Bonn", "Ulm") and kept.notes == ()
    assert evaluate(BM25(), kept).macro["mine/multilingual/map"] > 0
    relevant = [*QRELS[:-1], "q2\tp3\t1"]
    with pytest.raises(InputError, match=r"corpus\.jsonl:3: passage 'p3' is empty, but relevant to query 'q2'"):
        load_folder("mine", write_folder(folder, queries=None, passages=None, qrels=relevant))


def values_of(result: Result, query: str) -> dict[tuple[Setting, str], float]:
    return {
        (entry.setting, measure.name): values[entry.queries.index(query)]
        for entry in result.settings
        if query in entry.queries
        for measure, values in entry.values.items()
    }


def test_a_query_may_ignore_the_passage_with_its_id(tmp_path: Path) -> None:
    """Ranks and measures of the best passages are those of a pool without it, in every setting."""
    lines = [f"t{i}\t{('en', 'de')[i % 2]}\ttext {i}" for i in range(8)]
    qrels = [QRELS[0], *(f"t{i}\tt{p}\t1" for i in range(8) for p in range(8) if p // 4 == i // 4)]
    folder = write_folder(tmp_path, queries=[QUERIES[0], *lines], passages=[PASSAGES[0], *lines], qrels=qrels)
    plain = load_folder("mine", folder)
    assert plain.notes[0].startswith("8 queries are passages under the same id and find themselves; ignore_identical")
    benchmark = load_folder("mine", folder, ignore_identical_ids=True)
    assert benchmark.notes == () and benchmark.fingerprint != plain.fingerprint
    measures = {kind: ["map", "ndcg@3"] for kind in SETTINGS} | {"multilingual": ["map", "language_share@10"]}
    result = evaluate(HashEncoder(), benchmark, measures, keep=8)
    for position, query in enumerate(benchmark.queries.ids):
        own = {stem: [head, *(line for line in lines if line.startswith(query) == (stem == "queries"))]
               for stem, head in (("queries", QUERIES[0]), ("passages", PASSAGES[0]))}  # fmt: skip
        judged = [line for line in qrels[1:] if line.startswith(query) and f"\t{query}\t" not in line]
        alone = load_folder("alone", write_folder(tmp_path / query, qrels=[QRELS[0], *judged], **own))
        expected = evaluate(HashEncoder(), alone, measures, keep=7)
        assert values_of(result, query) == values_of(expected, query)
        for pool, top in result.top.items():
            lists = top.passages[position], expected.top[pool].passages[0]
            assert [key for key in lists[0] if key] == [key for key in lists[1] if key]
    part = subset(benchmark, 2, 1, seed=3)
    ignored = zip(part.queries.ids, part.ignored, strict=True)
    assert all(position < 0 or part.passages.ids[position] == query for query, position in ignored)


def test_queries_and_passages_may_have_different_languages(tmp_path: Path) -> None:
    """What exists is evaluated, what does not is listed once; `group` makes translations of queries."""
    queries = [f"{QUERIES[0]}\tgroup", f"{QUERIES[1]}\tulm", f"{QUERIES[2]}\tulm", "q3\ten\tWhere is Bonn?\t"]
    passages = [PASSAGES[0], "p1\ten\tUlm is a city.", "p2\tfr\tUlm est une ville.", "p3\tfr\tBonn."]
    qrels = [*QRELS[:-1], "q3\tp3\t1"]
    benchmark = load_folder("mine", write_folder(tmp_path, queries=queries, passages=passages, qrels=qrels))
    (note,) = benchmark.notes
    assert note == "settings that do not exist are left out: there are no queries in fr; there are no passages in de"
    result = evaluate(HashEncoder(), benchmark, DEFAULT_MEASURES, keep=3)
    labels = {f"{entry.setting.kind} {entry.setting.label}" for entry in result.settings}
    assert labels == {"monolingual en", "multilingual en", "multilingual de",
                      "crosslingual en-fr", "crosslingual de-en", "crosslingual de-fr"}  # fmt: skip
    assert result.queries == {"en": 2, "de": 1, "fr": 0} and result.passages == {"en": 1, "de": 0, "fr": 2}
    assert "mine/own_language_advantage@10" in result.macro
    assert benchmark.query_groups.tolist() == [0, 1, 0] and benchmark.queries.ids == ("q1", "q3", "q2")
    foreign = [line.replace("\ten\t", "\tfr\t") for line in passages]
    none = load_folder("mine", write_folder(tmp_path / "foreign", queries=queries, passages=foreign, qrels=qrels))
    assert none.settings == ("crosslingual", "multilingual")
    with pytest.raises(InputError, match=r"queries\.tsv:4: group 'ulm' has a query in en already, in line 2"):
        load_folder("mine", write_folder(tmp_path, queries=[*queries[:3], f"{queries[3]}ulm"], passages=passages))


@pytest.mark.parametrize(
    ("stem", "lines", "message"),
    [
        ("queries", [*QUERIES, "q1\ten\tAgain?"], "queries.tsv:4: id 'q1' was used before, in line 2"),
        ("queries", [*QUERIES, "q3\ten"], "queries.tsv:4: expected 3 tab-separated columns, found 2"),
        ("queries", [*QUERIES, "q3\ten\t "], "queries.tsv:4: the text is empty"),
        ("queries", [*QUERIES, "\ten\tWhat?"], "queries.tsv:4: the id is empty"),
        ("queries", ["id\ttext", "q1\tWhat?"], "queries.tsv:2: the text has no 'language'"),
        ("queries", [QUERIES[0], "q1\te n\tWhat?"], "queries.tsv:2: language code 'e n' must be made of"),
        ("queries", ["q1\ten\tWhat?"], "queries.tsv:1: the first line must name the tab-separated columns"),
        ("queries", QUERIES[:1], "queries.tsv: there are no texts in the file"),
        ("passages", [*PASSAGES, "p1\tde\tNochmal."], "passages.tsv:5: id 'p1' was used before, in line 2"),
        ("passages", None, "there is no passages.jsonl or passages.tsv or corpus.jsonl or corpus.tsv"),
        ("passages", PASSAGES[:1], "passages.tsv: there are no texts in the file"),
        ("qrels", [*QRELS, "q1\tp3"], "qrels.tsv:7: expected 3 columns, found 2"),
        ("qrels", [*QRELS, "q1\tp3\thigh"], "qrels.tsv:7: the grade must be an integer, got 'high'"),
        ("qrels", [*QRELS, "q9\tp3\t1"], "qrels.tsv:7: query 'q9' is not among the queries"),
        ("qrels", [*QRELS, "q1\tp2\t0"], "qrels.tsv:7: passage 'p2' was judged before for query 'q1', in line 3"),
        ("qrels", ["q1 0 p1"], "qrels.tsv:1: expected 4 columns, found 3"),
        ("queries.jsonl", ["[1]"], "queries.jsonl:1: a line must be one JSON object, found list"),
        ("queries.jsonl", ['{"id": "q1"'], "queries.jsonl:1: not JSON"),
        ("queries.jsonl", ['{"id": "q1"}'], "queries.jsonl:1: 'text' is missing; there is 'id'"),
        ("queries.jsonl", ['{"id": 1.5, "text": "a"}'], "queries.jsonl:1: the id is float, not a string"),
        ("queries.jsonl", ['{"id": "q1", "text": "a", "title": 3}'], "queries.jsonl:1: the title is int, not a string"),
    ],
)
def test_faults_are_named_with_file_and_line(stem: str, lines: list[str] | None, message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **{stem.removesuffix(".jsonl"): None if stem.endswith(".jsonl") else lines})
    if stem.endswith(".jsonl"):
        write_lines(folder / stem, lines or [])
    with pytest.raises(InputError) as error:
        load_folder("mine", folder)
    assert message in str(error.value) and str(tmp_path) in str(error.value)


def test_files_that_do_not_belong_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    with pytest.raises(InputError, match=r"queries\.tsv:3: the language is 'de'; the benchmark is in en"):
        load_folder("mine", folder, languages=["en"])
    with pytest.raises(InputError, match=r"qrels\.tsv:3: passage 'p2' is in de and query 'q1' in en: in the mono"):
        load_folder("mine", folder, settings=["monolingual"])
    write_lines(folder / "corpus.jsonl", as_json(PASSAGES))
    with pytest.raises(InputError, match=r"there are passages\.tsv and corpus\.jsonl; keep one"):
        load_folder("mine", folder)
