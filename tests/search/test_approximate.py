"""FAISS proposes, the exact search ranks: scores and ties are exact, and recall is what the manifest says."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hybrid_ir.evaluation.ranking.exact_search import search
from hybrid_ir.search.index import approximate
from hybrid_ir.search.index.approximate import Approximate, FaissConfig, build_approximate
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.sources.errors import InputError
from tests.evaluation.samples import HashEncoder
from tests.processes import run_processes
from tests.search.corpora import LANGUAGES, content, make, rows, write_jsonl

pytest.importorskip("faiss")
CONFIG = FaissConfig(sample=40)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return make(tmp_path / "index", write_jsonl(tmp_path / "corpus.jsonl", rows(600)), block_size=64)


@pytest.mark.parametrize(("limit", "kind"), [(1_000_000, "HNSW"), (10, "IVF")])
def test_what_is_proposed_is_ranked_exactly(
    limit: int, kind: str, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "HNSW_LIMIT", limit)
    facts = build_approximate(index, CONFIG)
    assert {entry["kind"] for entry in facts["languages"].values()} == {kind}
    assert facts == json.loads((index.folder / "faiss" / "manifest.json").read_text())
    assert (facts["recall"], facts["recall_at"], facts["sample"]) == (1.0, 10, 40)  # so few are all looked at
    queries = HashEncoder().encode([f"question {number}" for number in range(40)], "query")
    for languages in (LANGUAGES, ("de",), ("en", "sw")):
        found = Approximate(index).search(queries, 10, languages)
        exact = search(queries, index.blocks(languages), 10)
        np.testing.assert_array_equal(found.passages, exact.passages)
        np.testing.assert_array_equal(found.scores, exact.scores)
    found = Approximate(index).search(queries, 250, ["de"])  # more than there are
    assert ((found.passages != b"").sum(axis=1) == 200).all() and (found.scores[:, 200:] == -np.inf).all()


def test_recall_counts_what_is_missed(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    build_approximate(index, CONFIG)
    proposed = Approximate._proposed

    def without_german(self: Approximate, queries: Any, k: int, languages: list[str]) -> Any:
        return proposed(self, queries, k, [language for language in languages if language != "de"])

    monkeypatch.setattr(Approximate, "_proposed", without_german)
    assert 0.4 < approximate.measure_recall(index, CONFIG) < 0.9


def test_what_is_there_is_not_made_again_and_what_is_damaged_is(index: Index) -> None:
    build_approximate(index, CONFIG)
    before, path = content(index.folder), index.folder / "faiss" / "de.index"
    times = {file: file.stat().st_mtime_ns for file in path.parent.glob("*.index")}
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=r"de\.index: this FAISS index is missing or damaged"):
        Approximate(index).search(torch.randn(1, 16), 5, ["de"])
    build_approximate(index, CONFIG)
    assert content(index.folder) == before
    assert {file.name for file, time in times.items() if file.stat().st_mtime_ns == time} == {"en.index", "sw.index"}


def test_an_index_without_it_and_a_machine_without_the_library_are_refused(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="this index has no complete FAISS index; run the command that made it with"):
        Approximate(index)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ValueError, match=r"pip install -r requirements-search\.txt"):
        build_approximate(index, CONFIG)


def in_two(rank: int, world_size: int, folder: Path, expected: Any) -> None:
    index = Index(folder)
    assert build_approximate(index, CONFIG)["recall"] == 1.0
    queries = HashEncoder().encode([f"question {number}" for number in range(40)], "query")
    for languages, ids in expected.items():
        np.testing.assert_array_equal(Approximate(index).search(queries, 10, languages).passages, ids)


def test_processes_share_languages(index: Index, tmp_path: Path) -> None:
    queries = HashEncoder().encode([f"question {number}" for number in range(40)], "query")
    pools: list[tuple[str, ...]] = [LANGUAGES, ("de",)]
    expected = {languages: search(queries, index.blocks(languages), 10).passages for languages in pools}
    run_processes(in_two, 2, tmp_path, index.folder, expected)
