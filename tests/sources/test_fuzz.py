"""Readers of files, given anything at all: they return, or say what is wrong with the file, and nothing else."""

import gzip
import json
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.data.check.inspection import inspect
from hybrid_ir.data.readers import parallel_jsonl, squad_xtreme
from hybrid_ir.data.readers import squad as squad_reader
from hybrid_ir.evaluation.benchmarks.folder import load_folder
from hybrid_ir.launch.cli import PACKAGE
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.beir import read_texts
from hybrid_ir.sources.formats.lines import read_lines
from hybrid_ir.sources.formats.miracl_files import MiraclFiles, PassageParser
from hybrid_ir.sources.formats.qrels import read_qrels
from hybrid_ir.sources.formats.squad_file import read_squad
from hybrid_ir.sources.formats.trec_run import read_run
from hybrid_ir.sources.formats.tsv import TextsById, read_integers

EXAMPLES = settings(max_examples=20)
KEYS = [
    *("id", "_id", "question", "passage", "negatives", "text", "title", "language", "docid", "data", "paragraphs"),
    *("context", "qas", "answers", "answer_start", "sentences", "sentence_breaks", "query-id", "corpus-id", "score"),
    *("en", "de"),
]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4))
SCALARS |= st.sampled_from(["en", "x", "\0", "\ud800"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=2), inner),
    max_leaves=12,
)
TEXTS = st.dictionaries(st.sampled_from(["en", "de"]), st.text(max_size=5) | SCALARS, max_size=2)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("id", "text", "title", "language", "docid", *KEYS[-5:-2]), SCALARS | VALUES),
        **dict.fromkeys(("question", "passage"), TEXTS | VALUES),
        "negatives": st.lists(TEXTS, max_size=2) | VALUES,
    },
)
ANSWERS = st.lists(st.fixed_dictionaries({"answer_start": st.integers(-1, 3), "text": st.sampled_from(["a", "b", ""])}))
QAS = st.fixed_dictionaries({"id": SCALARS, "question": SCALARS, "answers": ANSWERS | VALUES})
PARAGRAPHS = st.fixed_dictionaries(
    {"context": st.sampled_from(["ab", "a\0", "\ud800"]) | VALUES, "qas": st.lists(QAS, max_size=2) | VALUES},
    optional={"sentences": st.lists(SCALARS, max_size=2), "sentence_breaks": st.just([[0, 2]]) | VALUES},
)
SQUAD = st.fixed_dictionaries(
    {"data": st.lists(st.fixed_dictionaries({"paragraphs": st.lists(PARAGRAPHS)}), max_size=2)}
)
WORDS = st.sampled_from(["q", "7", "0", "1.5", "nan", "1e999", "9" * 30, "Q0", "é", "\u2028", "-1", "id", "text", "en"])
TABLES = st.lists(st.lists(WORDS, max_size=7).map("\t".join), max_size=4).map(lambda rows: "\n".join(rows).encode())
JSON_LINES = st.lists(VALUES | RECORDS, max_size=3).map(
    lambda records: b"\n".join(json.dumps(record).encode() for record in records)
)
LONG = [b"[" * 100_000, b"9" * 5000, b'{"id": ' + b"9" * 5000 + b"}", b'{"id": ' * 50_000]
STRANGE = st.sampled_from([*LONG, b"\xff\xfe{\0", b"\xef\xbb\xbf{}"])
FILES = SQUAD.map(lambda value: json.dumps(value).encode())
CONTENTS = st.one_of(st.binary(max_size=80), TABLES, JSON_LINES, FILES, STRANGE)


def read_topics(path: Path) -> None:
    files = MiraclFiles(path.parent, path.parent)
    for name in ("topics", "qrels"):
        target = path.parent / f"miracl-v1.0-en/{name}/{name}.miracl-v1.0-en-dev.tsv"
        target.parent.mkdir(parents=True)
        target.write_bytes(path.read_bytes())
    files.queries("en", "dev")
    list(files.judgements("en", "dev"))


def read_passages(path: Path) -> None:
    for line in read_lines(path):
        key, text = PassageParser("en")(line)
        assert (key + text).encode()


def read_benchmark(path: Path) -> None:
    for name in ("queries.jsonl", "passages.jsonl", "qrels.tsv"):
        (path.parent / name).write_bytes(path.read_bytes())
    load_folder("b", path.parent).fingerprint  # noqa: B018


def read_parallel(path: Path) -> None:
    """What is read is also written, and what the check passes is read."""
    report = inspect(path)
    if report.errors:
        with pytest.raises(ValueError):  # noqa: PT011
            parallel_jsonl.read("own", str(path), str(path.parent))
    else:
        assert len(parallel_jsonl.read("own", str(path), str(path.parent))) == report.profile.examples


def read_squad_family(path: Path) -> None:
    read_squad(path)
    squad_reader.read("own", {"en": str(path)}, str(path.parent))


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "parallel_jsonl": ("file.jsonl", read_parallel),
    "parallel_jsonl packed": ("file.jsonl.gz", read_parallel),
    "squad": ("file.json", read_squad_family),
    "mmarco triples": ("file.tsv", lambda path: read_integers(path, 3)),
    "mmarco texts": ("file.tsv", lambda path: TextsById(path, np.array([0, 7]))[:2]),
    "beir jsonl": ("texts.jsonl", read_texts),
    "beir tsv": ("texts.tsv", lambda path: read_texts(path, "en")),
    "beir folder": ("file", read_benchmark),
    "qrels": ("file.tsv", read_qrels),
    "qrels jsonl": ("file.jsonl", read_qrels),
    "trec run": ("file.trec", read_run),
    "miracl topics": ("file.tsv", read_topics),
    "miracl passages": ("docs-0.jsonl.gz", read_passages),
    "squad_xtreme": ("file.parquet", lambda path: read_translations(path)),
}


@pytest.mark.parametrize("name", READERS)
@EXAMPLES
@given(content=CONTENTS, packed=st.booleans(), cut=st.booleans())
def test_no_reader_fails_but_by_its_own_error(name: str, content: bytes, packed: bool, cut: bool) -> None:
    file, read = READERS[name]
    if packed and file.endswith(".gz"):
        content = gzip.compress(content)[: -9 if cut else None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(content)
        read_or_refuse(read, path)


def read_or_refuse(read: Callable[[Path], Any], path: Path) -> None:
    try:
        read(path)
        return
    except ValueError as error:
        refusal = error
    assert type(refusal) in (InputError, ValueError), repr(refusal)
    frames = traceback.extract_tb(refusal.__traceback__)
    assert frames[-1].filename.startswith(PACKAGE), "a library's message, not ours"
    assert str(refusal).encode(), "it cannot be shown"


FOUND = {"text": st.lists(st.sampled_from(["a", "z"])), "answer_start": st.lists(st.integers(-1, 9))}
ROWS = st.fixed_dictionaries(
    {
        "id": st.none() | st.text(max_size=2).filter(lambda text: text.isprintable()),
        "context": st.none() | st.sampled_from(["", "a b.", "\0"]),
        "question": st.none() | st.sampled_from(["", "why"]),
        "answers": st.none() | st.fixed_dictionaries(FOUND),
    }
)


def read_translations(path: Path) -> None:
    list(squad_xtreme._pairs([path], "en", "sentence", "drop", []))


@EXAMPLES
@given(rows=st.lists(ROWS, max_size=3), column=st.sampled_from(["none", "answers", "context"]))
def test_tables_of_translations(rows: list[dict[str, Any]], column: str) -> None:
    if column != "none":
        rows = [row | {column: 3} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.parquet"
        pq.write_table(pa.Table.from_pylist(rows or [{}]), path)
        read_or_refuse(read_translations, path)
