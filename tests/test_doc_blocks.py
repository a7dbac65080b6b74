"""Runs the Python blocks of every page, and the blocks of commands that are marked to be run, in their order."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, train_tokenizer
from hybrid_ir.evaluation.benchmarks.lareqa import LAREQA_PINS
from hybrid_ir.export.export_folder import write_layout
from tests.commands import SECONDS, program_environment
from tests.encoder_fixtures import TEXTS, tiny_backbone
from tests.evaluation.samples import HashEncoder
from tests.pages import NOT_RUN, PAGES, REPOSITORY, RUN, RUN_BY, Block, blocks
from tests.warm import python
from tests.worlds import write_corpus, write_lareqa

RUNNABLE = {
    page: found
    for page in PAGES
    if page.name != "CONTRIBUTING.md"  # tests/test_contributing.py
    and (
        found := [block for block in blocks(page, "python", "bash") if block.language == "python" or block.mark == RUN]
    )
}


Given = Callable[[Path, pytest.MonkeyPatch], None]


def xquad_r(folder: Path) -> None:
    """Files in place of those of XQuAD-R."""
    for language in LAREQA_PINS["xquad_r"].sha256:
        file = write_lareqa(folder / language, ("en",)) / "en.json"
        (folder / "data" / "xquad_r").mkdir(parents=True, exist_ok=True)
        file.rename(folder / "data" / "xquad_r" / f"{language}.json")


def readme(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of sentence-transformers that needs no hub."""
    xquad_r(folder)

    def encode(texts: list[str], **_: Any) -> torch.Tensor:
        return HashEncoder().encode(texts, "query")

    module = SimpleNamespace(SentenceTransformer=lambda name: SimpleNamespace(encode=encode))
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)


def api(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus, a benchmark, a backbone and an exported model."""
    xquad_r(folder)
    write_corpus(folder / "pairs.jsonl")
    benchmark = folder / "my_benchmark"
    benchmark.mkdir()
    texts = {"de": "Wo liegt Ulm?", "en": "Where is Ulm?"}
    lines = [json.dumps({"_id": code, "language": code, "text": text}) for code, text in texts.items()]
    for side in ("queries", "passages"):
        (benchmark / f"{side}.jsonl").write_text("\n".join(lines) + "\n")
    qrels = [f"{query}\t{passage}\t1" for query in texts for passage in texts]
    (benchmark / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels]) + "\n")
    tokenizer = train_tokenizer(TEXTS * 3, 400, folder / "vocabulary.json")
    backbone = tiny_backbone(tokenizer)
    backbone.save_pretrained(folder / "my_backbone")
    tokenizer.save_pretrained(folder / "my_backbone")
    (folder / "my_model").mkdir()
    write_layout(folder / "my_model", TextEncoder(backbone, TextTokenizer(tokenizer, "query: ", "passage: ", 32, 32)))


def search(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the form of Belebele's questions: two to one passage."""
    rows = [{"id": f"dev-1-{number}", "passage": {"de": "Ulm liegt an der Donau."}} for number in range(2)]
    (folder / "parallel_qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


# What a page's examples start from.
GIVEN: dict[str, Given] = {"README.md": readme, "api.md": api, "search.md": search}


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.stem)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("train.py", "evaluate.py", "conf", "hybrid_ir"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    names: dict[str, Any] = {"__name__": "page"}
    GIVEN.get(page.name, lambda folder, monkeypatch: None)(tmp_path, monkeypatch)
    for block in RUNNABLE[page]:
        if block.mark in (NOT_RUN, RUN_BY):
            assert block.detail
        elif block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
        else:
            run_shell(block, tmp_path)


def run_shell(block: Block, folder: Path) -> None:
    path = f"{Path(python()).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", block.text], cwd=folder, env=program_environment(folder) | {"PATH": path},
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.page}:{block.line}\n{done.stdout}\n{done.stderr}"


def test_pages_have_examples() -> None:
    assert {page.name for page in RUNNABLE} >= {"README.md", "api.md", "your-own.md", "batches.md", "measures.md"}
