"""From a checkpoint to an index to answers: the commands, and what they refuse."""

import json
from pathlib import Path

import pytest
from _pytest.capture import CaptureFixture

from hybrid_ir.encoder.build import find_checkpoint, load_checkpoint_encoder
from hybrid_ir.evaluation.benchmarks.lareqa import load_lareqa
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.result_files import write_runs
from hybrid_ir.evaluation.run_scoring import score_run
from hybrid_ir.sources.formats.trec_run import read_run
from tests.commands import run_command
from tests.evaluation.samples import write_qrels
from tests.pages import REPOSITORY, RUN_BY, blocks
from tests.search.corpora import write_jsonl
from tests.training.conftest import Configure, Run

INDEX, SEARCH = "hybrid_ir/commands/index.py", "hybrid_ir/commands/search.py"


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    return [f"paths.outputs={tmp_path / 'outputs'}", f"paths.cache={tmp_path / 'cache'}", "device=cpu"]


def test_indexing_a_benchmark_and_searching_its_queries_is_its_evaluation(
    configure: Configure,
    places: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: CaptureFixture[str],
) -> None:
    Run(configure("trainer.max_steps=3", "eval.at_start=false", run="first")).fit()
    encoder = load_checkpoint_encoder(find_checkpoint(tmp_path / "first"))
    benchmark = load_lareqa("world", root=str(tmp_path / "data"), folder="world")
    size, pooled = len(benchmark.passages), benchmark.passages
    judged = evaluate(encoder, benchmark, keep=size)
    write_runs(tmp_path, judged)
    expected = read_run(tmp_path / "world.multilingual.trec")
    codes = [benchmark.languages[code] for code in pooled.languages]
    rows = zip(pooled.ids, pooled.texts, codes, strict=True)
    corpus = write_jsonl(
        tmp_path / "passages.jsonl", [{"id": key, "text": text, "language": code} for key, text, code in rows]
    )
    texts = zip(benchmark.queries.ids, benchmark.queries.texts, strict=True)
    queries = write_jsonl(tmp_path / "queries.jsonl", [{"id": key, "text": text} for key, text in texts])

    def run(program: str, *arguments: str) -> tuple[int, str, str]:
        status = run_command(monkeypatch, program, *arguments, *places)
        return status, *capsys.readouterr()

    folder = f"out={tmp_path / 'index'}"
    status, shown, _ = run(INDEX, f"corpus={corpus}", folder, f"checkpoint={tmp_path / 'first'}", "block_size=7")
    assert status == 0 and f"{size:,} passages, width 32, in {tmp_path / 'index'}" in shown
    assert json.loads((tmp_path / "index" / "index.json").read_text())["provenance"]["libraries"]["torch"]

    # The run, and so every measure, that the evaluation gives: rounding apart, since it multiplies in other shapes.
    ask, out = f"index={tmp_path / 'index'}", tmp_path / "ours.trec"
    assert run(SEARCH, ask, f"queries={queries}", f"k={size}", "format=trec", f"out={out}")[0] == 0
    found = read_run(out)
    for query, passages in expected.items():
        assert list(found[query]) == list(passages)
        assert found[query] == pytest.approx(passages, abs=1e-6)
    write_qrels(tmp_path / "qrels", benchmark)
    ours = score_run(out, tmp_path / "qrels", ["map", "recall@10"]).macro
    for measure in ("map", "recall@10"):
        assert ours[f"qrels/run/{measure}"] == pytest.approx(judged.macro[f"world/multilingual/{measure}"], abs=1e-12)

    (tmp_path / "my-index").symlink_to(tmp_path / "index")
    monkeypatch.chdir(tmp_path)
    (example,) = (block for block in blocks(REPOSITORY / "docs" / "search.md", "python") if block.mark == RUN_BY)
    exec(example.text, {})
    assert len(capsys.readouterr().out.splitlines()) == 10

    # One question, in all its characters; the answer is that of the file.
    key, text = benchmark.queries.ids[0], benchmark.queries.texts[0]
    status, shown, _ = run(SEARCH, ask, f"query={text}", "k=3", "format=jsonl")
    answer = json.loads(shown)
    assert status == 0 and answer["text"] == text
    assert [hit["id"] for hit in answer["hits"]] == list(expected[key])[:3]
    status, shown, _ = run(SEARCH, ask, "query=What's a, b {c}?", "k=2", "language=[en]", "balance=centroid")
    assert status == 0 and "1: What's a, b {c}?" in shown and " en " in shown and " de " not in shown

    # What is refused, in one message.
    for arguments, message in (
        (["query= "], "error: the query is empty"),
        (["query=x", f"k={size + 1}"], f"error: k={size + 1}, but"),
        (["query=x", "language=fr"], "is in 'fr'; there is de, en"),
        (["query=x", "backend=faiss"], "has no complete FAISS index"),
    ):
        status, _, said = run(SEARCH, ask, *arguments)
        assert status == 1 and message in said and "Traceback" not in said

    # The encoder is found by its path; moved, it is named, and another one is refused.
    (tmp_path / "first").rename(tmp_path / "moved")
    status, _, said = run(SEARCH, ask, "query=x")
    assert status == 1 and "the encoder of this index cannot be loaded from" in said and "encoder=PATH" in said
    assert run(SEARCH, ask, "query=x", "k=2", f"encoder={tmp_path / 'moved'}")[0] == 0
    Run(configure("trainer.max_steps=5", "eval.at_start=false", run="second")).fit()
    status, _, said = run(SEARCH, ask, "query=x", f"encoder={tmp_path / 'second'}")
    assert status == 1 and "is another encoder than this index was made with; different: weights" in said


def test_a_model_is_stored_by_its_configuration_and_a_baseline_without_vectors_is_refused(
    places: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: CaptureFixture[str]
) -> None:
    corpus = write_jsonl(tmp_path / "corpus.jsonl", [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}])
    command = [f"corpus={corpus}", f"out={tmp_path / 'index'}", *places]
    assert run_command(monkeypatch, INDEX, *command, "baseline=random", "language=en") == 0
    assert run_command(monkeypatch, SEARCH, f"index={tmp_path / 'index'}", "query=x", "k=2", *places) == 0
    assert " en " in capsys.readouterr().out
    command[1] = f"out={tmp_path / 'other'}"
    assert run_command(monkeypatch, INDEX, *command, "baseline=bm25") == 1
    assert "baseline=bm25 scores texts without vectors" in capsys.readouterr().err
