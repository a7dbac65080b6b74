"""An export under MTEB: its measures agree with this project's on the same data."""

from pathlib import Path
from typing import Any

import mteb
import pytest
from datasets import Dataset
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from sentence_transformers import SentenceTransformer

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.export.export_folder import export
from tests.export.conftest import MakeCheckpoint
from tests.worlds import question, statement

QUERIES = {f"q{number}": question("en", number) for number in range(12)}
PASSAGES = {f"p{number}": statement("en", number) for number in range(40)}
QRELS = {f"q{number}": [f"p{number}", f"p{39 - number}"] for number in range(12)}


class Statements(AbsTaskRetrieval):
    """Which of forty statements answer a question; in memory."""

    metadata = TaskMetadata(
        name="Statements",
        description="Statements about made-up places.",
        dataset={"path": "none", "revision": "none"},
        type="Retrieval",
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
    )

    def load_data(self, **_: Any) -> None:
        rows = [[{"id": key, "text": text} for key, text in texts.items()] for texts in (QUERIES, PASSAGES)]
        queries, corpus = (Dataset.from_list(part) for part in rows)
        relevant = {query: dict.fromkeys(passages, 1) for query, passages in QRELS.items()}
        split = {"queries": queries, "corpus": corpus, "relevant_docs": relevant, "top_ranked": None}
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True


def test_mteb_finds_what_the_evaluator_finds(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    checkpoint = make_checkpoint()
    export(checkpoint, tmp_path / "out", "out")
    model = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    (result,) = mteb.evaluate(model, Statements(), cache=None, show_progress_bar=False, co2_tracker=False).task_results
    (scores,) = result.scores["test"]
    benchmark = Benchmark.build("toy", {"en": QUERIES}, {"en": PASSAGES}, QRELS, ("monolingual",))
    names = {"ndcg@10": "ndcg_at_10", "recall@5": "recall_at_5", "map@100": "map_at_100"}
    found = evaluate(load_checkpoint_encoder(checkpoint), benchmark, {"monolingual": list(names)}).macro
    for ours, theirs in names.items():
        assert scores[theirs] == pytest.approx(found[f"toy/monolingual/{ours}"], abs=1e-5), ours  # five digits there
    assert 0.05 < scores["ndcg_at_10"] < 0.95
