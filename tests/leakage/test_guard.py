"""What is done about overlap, and that it is done alike by every process and every time."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.data.corpus import ParallelCorpus, Side
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark, StreamedTask
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.leakage import overlaps
from hybrid_ir.leakage.guard import REPORT, Guarded, guard
from hybrid_ir.sources.formats.miracl_files import PassageParser
from hybrid_ir.sources.formats.passages import Corpus
from tests.data.examples import example
from tests.processes import run_processes
from tests.training.conftest import Run, tiny_runs
from tests.worlds import question, statement

ASKED = {"en": "Who wrote the first novel about the sunken city?", "de": "Wer schrieb den ersten Roman über die Stadt?"}
TOLD = {"en": "The first novel about the sunken city was written by Ada Byron.", "de": "Ada Byron schrieb ihn zuerst."}
OTHER = {"en": "Nothing of the kind is here.", "de": "Dergleichen gibt es hier nicht."}


def benchmark_of(ending: str = "") -> Benchmark:
    queries = {lang: {f"{lang}:q": text + ending} for lang, text in ASKED.items()}
    passages = {lang: {f"{lang}:p": TOLD[lang], f"{lang}:other": OTHER[lang]} for lang in TOLD}
    return Benchmark.build("bench", queries, passages, {f"{lang}:q": [f"{lang}:p"] for lang in ASKED}, ["monolingual"])


BENCHMARK = benchmark_of()
DEFAULT: dict[Side, str] = {"question": "stop", "passage": "ignore"}


def corpus_at(folder: Path) -> ParallelCorpus:
    """0 asks the query in German, 1 asks nearly it, 2 is linked to 0 by its English, 3 shares a passage, 4 nothing."""
    other = {"en": "Nobody knows where the river rises."}
    records = [
        example("0", {"de": "„Wer schrieb den ersten Roman über die STADT“", "en": "Whose novel was it?"}, other),
        example("1", {"en": "Who wrote the first novle about the sunken city?"}, other),
        example("2", {"en": "Whose novel was it?", "es": "¿De quién era?"}, {"en": "Of a lady."}),
        example("3", {"en": "What did she write?"}, {"en": TOLD["en"].upper()}),
        example("4", {"en": "How deep is the lake?"}, {"en": "Nine miles."}, {"en": "Dergleichen gibt es hier nicht!"}),
    ]
    return build_corpus("made", records, folder, "build")


def guarded(
    tmp_path: Path, benchmark: Any = BENCHMARK, corpus: ParallelCorpus | None = None, **policies: str
) -> Guarded:
    corpora = [corpus or corpus_at(tmp_path)]
    return guard(corpora, [benchmark], {**DEFAULT, **policies}, tmp_path / "cache", tmp_path / REPORT)


def test_a_query_in_training_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="made and bench") as caught:
        guarded(tmp_path)
    for part in (
        "made and bench, de, questions, exact: 1 in training, 1 in evaluation",
        "made and bench, en, questions, near: 1 in training, 1 in evaluation",
        "STADT“' (made, de) is bench's de:q",
        "novle about the sunken city?' (made, en) is nearly bench's en:q, 'Who wrote the first novel",
        "data.on_leakage=drop", "docs/leakage.md", f"The full list is in {tmp_path / REPORT}",
    ):  # fmt: skip
        assert part in str(caught.value)
    report = json.loads((tmp_path / REPORT).read_text(encoding="utf-8"))
    assert len(report["overlaps"]) == 4 and report["removed"] == {}


def test_examples_are_dropped_whole_with_their_translations(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = guarded(tmp_path, question="drop")
    (corpus,) = found.corpora
    assert corpus.example_ids(range(len(corpus))) == ["3", "4"]
    report = json.loads((tmp_path / REPORT).read_text(encoding="utf-8"))
    assert report["removed"] == found.removed == {"made": ["0", "1", "2"]}
    assert [entry["text"] for entry in report["overlaps"] if entry["side"] == "question"] == [
        "„Wer schrieb den ersten Roman über die STADT“", "Who wrote the first novle about the sunken city?"
    ]  # fmt: skip
    assert found.summary["removed"] == {"made": 3} and len(found.summary["found"]) == 4
    assert {overlap.similarity for overlap in found.overlaps if overlap.kind == "exact"} == {1.0}
    assert "passages of evaluation sets are in the training corpora; they are kept" in caplog.text
    for language, answering in (("en", 1), ("de", 0)):  # a positive passage, and a negative
        passages = f"made and bench, {language}, passages, exact: 1 in training, 1 in evaluation"
        assert f"{passages} ({answering} of them answer a query)" in caplog.text


@pytest.mark.parametrize(
    ("question", "passage", "removed", "said"),
    [
        ("drop", "drop", {"made": ["0", "1", "2", "3"]}, ""),
        ("ignore", "ignore", {}, "questions of evaluation sets are in the training corpora; they are kept (data.on"),
        ("ignore", "stop", None, r"(?s)passages of evaluation sets .*data.on_shared_passages=drop"),
    ],
)
def test_each_side_has_its_policy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, question: str, passage: str, removed: Any, said: str
) -> None:
    if removed is None:
        with pytest.raises(ValueError, match=said):
            guarded(tmp_path, question=question, passage=passage)
        return
    found = guarded(tmp_path, question=question, passage=passage)
    assert found.removed == removed and said in caplog.text
    assert len(found.corpora[0]) == 5 - len(removed.get("made", ()))


def test_a_corpus_that_is_the_benchmark_cannot_be_dropped(tmp_path: Path) -> None:
    corpus = build_corpus("same", [example("0", ASKED, TOLD)], tmp_path, "build")
    with pytest.raises(ValueError, match="every example of corpus same would be dropped"):
        guarded(tmp_path, corpus=corpus, question="drop")


def test_nothing_is_said_where_there_is_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clean = build_corpus("clean", corpus_at(tmp_path).records([4]), tmp_path, "build")
    texts = ({"en": {"q": ASKED["en"]}}, {"en": {"p": TOLD["en"]}}, {"q": ["p"]})
    found = guarded(tmp_path, Benchmark.build("b", *texts, ["monolingual"]), clean)
    assert found == Guarded([clean], [], {}) and found.corpora[0] is clean
    assert not caplog.text and not (tmp_path / REPORT).exists()
    assert guard([clean], [], DEFAULT, tmp_path, tmp_path / REPORT).corpora == [clean]


def test_verdicts_are_kept_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    compare = overlaps._compare
    monkeypatch.setattr(overlaps, "_compare", lambda *given: compared.append(given[0].name) or compare(*given))
    first, again = (guarded(tmp_path, question="drop") for _ in range(2))
    assert compared == ["made"] and again.overlaps == first.overlaps and again.removed == first.removed
    monkeypatch.setattr(overlaps, "PARAMETERS", (0,))
    guarded(tmp_path, question="drop")
    guarded(tmp_path, benchmark_of(" Tell me!"), question="drop")
    assert compared == ["made"] * 3


def test_of_streamed_benchmarks_the_queries_are_compared(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    corpus = Corpus("en", (tmp_path / "not read",), PassageParser("en"))
    task = StreamedTask(corpus, {"en:q": ASKED["en"]}, {"en:q": ["en:p"]})
    found = guarded(tmp_path, StreamedBenchmark("large", (task,), VectorStore(tmp_path, "float16", 8)), question="drop")
    assert found.removed == {"made": ["1"]} and "only the queries of large are compared" in caplog.text


def plant(folder: Path) -> None:
    """Two evaluation queries and, as a hard negative, an evaluation passage, into the made-up corpus."""
    file = folder / "corpus.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines[3]["question"]["de"] = question("de", 101).upper()
    lines[7]["question"]["en"] = question("en", 103)
    lines[9]["negatives"] = [{"en": statement("en", 100)}]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def drops(rank: int, world_size: int, cfg: DictConfig, folder: Path) -> None:
    corpora = assembly.build_corpora(cfg)
    kept = assembly.guard_corpora(cfg, corpora, assembly.build_benchmarks(cfg), assembly.build_history(cfg))
    encoder = assembly.build_model(cfg, kept)
    plan = assembly.build_datamodule(cfg, kept, encoder).plan
    (folder / f"plan-{rank}-of-{world_size}").write_text(plan.fingerprint(), encoding="utf-8")


def test_a_run_leaves_leaked_examples_out_on_every_process_and_when_resumed(tmp_path: Path) -> None:
    configure = tiny_runs(tmp_path)
    for key in ("on_leakage", "on_shared_passages"):
        with pytest.raises(ValueError, match=f"`data.{key}` must be 'stop' or 'drop' or 'ignore', got 'halt'"):
            Run(configure(f"data.{key}=halt"))
    plant(tmp_path)
    with pytest.raises(ValueError, match="parallel_jsonl and world, de, questions, exact: 1 in training"):
        Run(configure())
    run = Run(configure("data.on_leakage=drop", "trainer.max_epochs=1")).fit()
    (corpus,) = run.datamodule.corpora
    ids = corpus.example_ids(range(len(corpus)))
    assert ids == [f"fact-{number}" for number in range(48) if number not in (3, 7)]
    cfg = configure("data.on_leakage=drop", run="ranks")
    cfg.paths.cache = str(tmp_path / "other cache")  # so that several processes need the same comparison at once
    run_processes(drops, 2, tmp_path, cfg, tmp_path)
    plans = {path.read_text(encoding="utf-8") for path in tmp_path.glob("plan-*-of-2")}
    assert plans == {run.datamodule.plan.fingerprint()}
    report = json.loads((tmp_path / "ranks" / REPORT).read_text(encoding="utf-8"))
    assert report["removed"] == {"parallel_jsonl": ["fact-3", "fact-7"]}
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    resumed = Run(configure("data.on_leakage=drop", "trainer.max_epochs=2")).fit(last)
    assert resumed.trainer.global_step == 2 * len(resumed.datamodule.plan)
    with pytest.raises(ValueError, match="another encoder than this configuration: tokenizer differ"):
        Run(configure("data.on_leakage=ignore", "trainer.max_epochs=3")).fit(last)  # its vocabulary saw the copies too
