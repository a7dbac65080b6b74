"""TREC files: what is written is read back, other tools agree, and every fault is named with its line."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result_files import check_run_ids, write_runs
from hybrid_ir.evaluation.run_scoring import score_run
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.trec_run import read_run, write_run
from tests.evaluation.samples import HashEncoder, PlantedEncoder, parallel_benchmark, write_qrels

RUN = "q1 Q0 a 1 2.5 x\nq1 Q0 b 2 2.5 x\nq2 Q0 a 1 0.1 x\n"
QRELS = "q1 0 a 1\nq1 0 c 1\nq2 0 b 1\n"


def write(folder: Path, run: str = RUN, qrels: str = QRELS) -> tuple[Path, Path]:
    (folder / "system.trec").write_text(run)
    (folder / "dev.qrels").write_text(qrels)
    return folder / "system.trec", folder / "dev.qrels"


@pytest.mark.parametrize("language", [0.0, 1.0])
def test_our_runs_score_elsewhere_as_here(tmp_path: Path, language: float) -> None:
    """The whole pool is kept, so the files say all; planted vectors tie, random ones do not."""
    benchmark = parallel_benchmark(8)
    for encoder in (HashEncoder(), PlantedEncoder(("de", "en", "tr"), 8, content=1.0, language=language)):
        measures = {kind: ["map", "ndcg@10", "recall@5", "rr@10"] for kind in benchmark.settings}
        result = evaluate(encoder, benchmark, measures, keep=24)
        write_runs(tmp_path, result)
        write_qrels(tmp_path / "dev.qrels", benchmark)
        found = score_run(tmp_path / "toy.multilingual.trec", tmp_path / "dev.qrels", [*measures["multilingual"]])
        ours = [entry for entry in result.settings if entry.setting.kind == "multilingual"]
        for measure, values in found.settings[0].values.items():
            expected = {
                query: value
                for entry in ours
                for query, value in zip(entry.queries, entry.values[measure], strict=True)
            }
            assert dict(zip(found.settings[0].queries, values, strict=True)) == expected


def test_scores_survive_the_file_and_runs_of_own_languages_have_those_alone(tmp_path: Path) -> None:
    benchmark = parallel_benchmark(20)
    result = evaluate(HashEncoder(), benchmark, keep=25)
    write_runs(tmp_path, result)
    run, top = read_run(tmp_path / "toy.multilingual.trec"), result.top["multilingual"]
    for query, passages, scores in zip(benchmark.queries.ids, top.passages, top.scores, strict=True):
        assert list(run[query]) == [passage.decode() for passage in passages]
        assert list(run[query].values()) == scores.tolist()
    for query, found in read_run(tmp_path / "toy.monolingual.trec").items():
        assert len(found) == 20 and {passage[:2] for passage in found} == {query[:2]}


@pytest.mark.parametrize(("highest", "level"), [(1, 1), (3, 1), (3, 3)])
def test_a_run_made_elsewhere_equals_trec_eval(tmp_path: Path, highest: int, level: int) -> None:
    """Graded, also below 0; truncated lists, ties, scores that are equal in float32 alone, queries without passages."""
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")
    random = np.random.default_rng(0)
    run = {
        f"q{i}": {f"d{p}": float(random.integers(0, 6) + 1e-9 * p) for p in random.permutation(40)[: 5 + i % 12]}
        for i in range(50)
    }
    qrels = {
        f"q{i}": {f"d{p}": int(random.integers(-1, highest + 1)) for p in random.permutation(40)[:10]} | {"d40": 1}
        for i in range(55)
    }
    lines = [f"{q} Q0 {p} 0 {score!r} x\n" for q, found in run.items() for p, score in found.items()]
    judged = [f"{q} 0 {p} {grade}\n" for q, grades in qrels.items() for p, grade in grades.items()]
    names = ["map", "ndcg", "recall_5", "recip_rank", "map_cut_5", "ndcg_cut_5", "P_5"]
    measures = ["map", "ndcg", "recall@5", "rr", "map@5", "ndcg@5", "precision@5"]
    result = score_run(*write(tmp_path, "".join(lines), "".join(judged)), measures, level)
    wanted = {"map", "ndcg", "recall.5", "recip_rank", "map_cut.5", "ndcg_cut.5", "P.5"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, wanted, relevance_level=level).evaluate(run)
    (entry,) = result.settings
    for name, values in zip(names, entry.values.values(), strict=True):
        expected = [theirs[query][name] if query in theirs else 0.0 for query in entry.queries]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12, err_msg=name)


def test_forms_of_files_are_read_alike(tmp_path: Path) -> None:
    """Tabs, with which ids may hold spaces; gzipped; empty last lines; passages with the id of their query."""
    plain = score_run(*write(tmp_path), ["map"])
    run, qrels = (text.replace(" ", "\t").replace("q1", "question 1").replace("\ta\t", "\ta a\t") + "\n \n"
                  for text in (RUN, QRELS))  # fmt: skip
    packed = tmp_path / "system.trec.gz", tmp_path / "dev.qrels.gz"
    for path, text in zip(packed, (run, qrels), strict=True):
        path.write_bytes(gzip.compress(text.encode()))
    spaced = score_run(*packed, ["map"])
    assert spaced.settings[0].queries == ("question 1", "q2") and spaced.macro == plain.macro
    itself = write(tmp_path, "q1 Q0 q1 1 9 x\n" + RUN, QRELS + "q1 0 q1 1\n")
    assert score_run(*itself, ["map"]).notes[0].startswith("1 queries find a passage with their own id, which counts")
    without = score_run(*itself, ["map"], ignore_identical_ids=True)
    assert without.macro == plain.macro and without.notes == () and without.fingerprint != plain.fingerprint


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"run": "q1 Q0 a 1 2.5\n"}, "system.trec:1: expected 6 columns (query Q0 passage rank score tag), found 5"),
        ({"run": RUN + "q2 Q0 b 2 high x\n"}, "system.trec:4: the score must be a number, got 'high'"),
        ({"run": "q1 Q0 a 1 nan x\n"}, "system.trec:1: the score must be finite in float32, got nan"),
        ({"run": "q1 Q0 a 1 1e39 x\n"}, "system.trec:1: the score must be finite in float32, got 1e39"),
        ({"run": RUN + "q1 Q0 a 9 0 x\n"}, "system.trec:4: passage 'a' occurs twice for query 'q1'"),
        ({"run": "q9 Q0 a 1 0 x\n"}, "system.trec: none of its 1 queries is in"),
        ({"run": ""}, "system.trec: the file is empty"),
        ({"qrels": "q1 0 a\n"}, "dev.qrels:1: expected 4 columns, found 3"),
        ({"qrels": "q1 0 a yes\n"}, "dev.qrels:1: the grade must be an integer, got 'yes'"),
        ({"qrels": QRELS + "q1 0 a 0\n"}, "dev.qrels:4: passage 'a' was judged before for query 'q1'"),
        ({"qrels": "q1 0 a 0\nq2 0 a 0\n"}, "dev.qrels: no query has a relevant passage"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_faults_are_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        score_run(*write(tmp_path, **files))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_run(tmp_path / "absent")
    (tmp_path / "latin").write_bytes(b"q 0 caf\xe9 1\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_run(tmp_path / "latin")


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rank_distance compares languages"):
        score_run(*write(tmp_path), ["rank_distance"])
    for level, message in ((0, "must be at least 1, got 0"), (2, "level is 2, but the highest grade is 1")):
        with pytest.raises(ValueError, match=message):
            score_run(*write(tmp_path), relevance_level=level)


def test_only_judged_queries_count_and_the_others_are_noted(tmp_path: Path) -> None:
    more = RUN + "q8 Q0 a 1 1 x\nq9 Q0 a 1 1 x\n"
    result = score_run(*write(tmp_path, more, QRELS + "q3 0 a 0\nq4 0 a 1\n"), ["map"])
    assert result.settings[0].queries == ("q1", "q2", "q4")
    assert result.notes == (
        "2 of 4 queries of the run were not judged and are left out",
        "1 of 4 judged queries have no relevant passage and are left out",
        "1 of 3 queries are missing from the run and count as zero",
    )


def test_ids_with_white_space_are_not_written(tmp_path: Path) -> None:
    for lists, tag, word in (([("q 1", [])], "x", "q 1"), ([("q", [("p\t", 1.0)])], "x", r"p\\t"), ([], "a b", "a b")):
        with pytest.raises(ValueError, match=f"must not be empty or contain white space, got '{word}'"):
            write_run(tmp_path / "run", lists, tag)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_ids_that_no_run_can_hold_are_refused_before_anything_is_encoded(kind: str) -> None:
    ids = {"query": "q", "passage": "p"} | {kind: "Ulm (Donau)"}
    benchmark = Benchmark.build(
        "toy", {"en": {ids["query"]: "a"}}, {"en": {ids["passage"]: "b"}}, {ids["query"]: [ids["passage"]]}, None
    )
    with pytest.raises(ValueError, match=rf"toy: the id of {kind} 'Ulm \(Donau\)' cannot be written to a run"):
        check_run_ids(benchmark)
    check_run_ids(parallel_benchmark())
