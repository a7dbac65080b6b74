"""Crafted files: offsets that lead out of an Arrow file, deep, huge and mistyped JSON, and texts that cost time."""

import json
import shutil
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hybrid_ir.commands.report import main as report
from hybrid_ir.data.store.mapped import MappedTable
from hybrid_ir.data.store.storage import open_table
from hybrid_ir.evaluation.results.per_query import read_per_query
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.launch.job_record import read_record
from hybrid_ir.reports.page.markers import find_markers
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.index.texts import SCHEMA
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats import lines
from hybrid_ir.sources.formats.lines import read_lines
from hybrid_ir.sources.hub.fetch import sha256_of
from tests.search.corpora import make, rows, write_jsonl
from tests.training.conftest import Configure

OFFSETS = {  # of three texts in a buffer of nine bytes
    "outside": [0, 3, 6, 2**30],
    "negative": [-(2**30), 3, 6, 9],
    "backwards": [0, 9, 3, 9],
    "jump": [0, 2**30, 2**30, 9],
}


def craft(path: Path, offsets: list[int], letter: str = "i") -> None:
    """Put these in place of the offsets 0, 3, 6, 9 in a file; `letter` says how wide they are."""
    content, right = path.read_bytes(), struct.pack(f"<4{letter}", 0, 3, 6, 9)
    assert right in content
    path.write_bytes(content.replace(right, struct.pack(f"<4{letter}", *offsets)))


@pytest.mark.parametrize("offsets", OFFSETS.values(), ids=OFFSETS)
@pytest.mark.parametrize("column", ["id", "text"])
def test_an_index_with_crafted_offsets_is_refused(index: Path, tmp_path: Path, offsets: list[int], column: str) -> None:
    """With the checksum of the crafted file in the manifest: whoever made the file made that too."""
    texts = Index(shutil.copytree(index, tmp_path / "index")).texts
    path = texts.path(0)
    columns = {name: pa.array(["abc", "def", "ghi"], SCHEMA.field(name).type) for name in SCHEMA.names}
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
        writer.write_batch(pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA))
    craft(path, offsets, "i" if column == "id" else "q")
    manifest = path.with_name("manifest.json")
    (entry,) = json.loads(manifest.read_text())
    manifest.write_text(json.dumps([entry | {"sha256": sha256_of(path)}]))
    with pytest.raises(InputError, match=r"000000\.arrow: (damaged|not an Arrow file)"):
        texts.read(0)


@pytest.mark.parametrize("offsets", OFFSETS.values(), ids=OFFSETS)
@pytest.mark.parametrize("listed", [False, True], ids=["texts", "lists"])
def test_a_built_corpus_with_crafted_offsets_is_refused(tmp_path: Path, offsets: list[int], listed: bool) -> None:
    listed_numbers = pa.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]], pa.list_(pa.int64()))
    column = listed_numbers if listed else pa.array(["abc", "def", "ghi"])
    batch = pa.record_batch([column], names=["x"])
    with pa.ipc.new_stream(str(tmp_path / "x.arrow"), batch.schema) as writer:
        writer.write_batch(batch)
    assert len(open_table(tmp_path / "x.arrow")) == 3
    craft(tmp_path / "x.arrow", offsets)
    with pytest.raises(ValueError, match=r"x\.arrow is missing or damaged"):
        open_table(tmp_path / "x.arrow")


def test_a_compressed_or_foreign_column_is_refused(tmp_path: Path) -> None:
    """Its buffers are not where the file says, and rows would be read from anywhere."""
    batch = pa.record_batch([pa.array(["abc"] * 99)], names=["x"])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(str(tmp_path / "x.arrow"), batch.schema, options=options) as writer:
        writer.write_batch(batch)
    table = MappedTable(tmp_path / "x.arrow")
    with pytest.raises(ValueError, match="is compressed"):
        table.strings(["x"], pa.array([0]).to_numpy())
    with pa.ipc.new_stream(str(tmp_path / "y.arrow"), pa.schema([("x", pa.large_string())])) as writer:
        writer.write_batch(pa.record_batch([pa.array(["abc"], pa.large_string())], names=["x"]))
    with pytest.raises(ValueError, match="is of type large_string"):
        open_table(tmp_path / "y.arrow")


DAMAGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "parent": lambda facts: facts.update(vectors="../../elsewhere"),
    "language": lambda facts: facts.update(languages={"../x": 3}),
    "count": lambda facts: facts.update(languages={"en": "three"}),
    "kinds": lambda facts: facts.update(languages=["en"]),
    "absent": lambda facts: facts.pop("longest"),
    "encoder": lambda facts: facts.update(encoder="x"),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(folder / "index", write_jsonl(folder / "corpus.jsonl", rows(3, ("en",))))
    return folder / "index"


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_a_mistyped_index_is_one_message(index: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = shutil.copytree(index, tmp_path / "index") / "index.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"index\.json: damaged"):
        Index(path.parent)


RESULTS: dict[str, Any] = {"version": 1, "metrics": {}, "settings": [], "benchmarks": {}, "provenance": {}}
JSON = {
    "deep": '{"version": 1, "metrics": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000 + "}",
    "nested": '{"version": 1, "metrics": ' + "[" * 200 + "]" * 200 + "}",
    "digits": '{"version": ' + "9" * 10_000 + "}",
    "list": "[1]",
    "text": '"x"',
    "bytes": "\udcff",
    "empty": "",
    "metrics": json.dumps(RESULTS | {"metrics": [1]}),
    "value": json.dumps(RESULTS | {"metrics": {"a": "x"}}),
    "settings": json.dumps(RESULTS | {"settings": [7]}),
    "benchmarks": json.dumps(RESULTS | {"benchmarks": {"x": 3}}),
    "provenance": json.dumps(RESULTS | {"provenance": "x"}),
    "config": json.dumps(RESULTS | {"provenance": {"config": {"data": 1}}}),
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
@pytest.mark.parametrize("read", [read_results, lambda path: read_record(path.parent)], ids=["results", "job"])
def test_deep_and_mistyped_files_of_a_run_are_one_message(
    tmp_path: Path, text: str, read: Callable[[Path], Any]
) -> None:
    for name in ("results.json", "job.json"):
        (tmp_path / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "results.json")
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 1000


def test_a_mistyped_configuration_in_results_is_at_most_one_message(
    trained: tuple[Configure, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(trained[1], tmp_path / "run"))
    content = json.loads((run / "results.json").read_text())
    content["provenance"]["config"]["eval"]["benchmarks"] = {"x": {"name": ["y"]}}
    content["provenance"]["config"]["sampler"]["alpha"] = {"a": "b"}
    (run / "results.json").write_text(json.dumps(content))
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)  # which asks for a traceback
    with suppress(ValueError):
        report([str(run), "--samples", "10", "--out", str(tmp_path / "out")])


def test_a_parquet_file_of_another_form_is_one_message(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from hybrid_ir.evaluation.results import per_query

    schema = per_query.SCHEMA.with_metadata({per_query.FINGERPRINTS: b"[" * 100_000})
    pq.write_table(schema.empty_table(), tmp_path / "per_query.parquet")
    with pytest.raises(InputError, match="not of the form that is written"):
        read_per_query(tmp_path / "per_query.parquet")


def test_a_line_without_end_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"a" * 999 + b"\n" + b"b" * 5000)
    with pytest.raises(InputError, match=r"x\.jsonl:2: a line of more than 1,000 bytes"):
        list(read_lines(path))


PAGES = {
    "marks": "<!-- table: " * 14_000,
    "spaces": "<!--" + " " * 80_000 + "<!-- end" + " " * 80_000,
    "fences": "```\nx\n~~~\n" * 16_000,
    "unclosed": "".join(f"{'`' * (3 + n % 300)}\n" for n in range(1000)),
    "ticks": "`a``b" * 32_000,
    "lengths": "".join("`" * n + "x" for n in range(1, 560)),
    "both": "`x` <!-- end -->" * 10_000,
}


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_a_page_costs_time_in_proportion_to_its_length(text: str) -> None:
    assert len(text) > 140_000
    began = time.process_time()
    with suppress(InputError):
        list(find_markers(Path("page.md"), text))
    assert time.process_time() - began < 5  # 160 kB took 64 seconds
