"""Vectors on disk: what a kill leaves is resumed to the same bits, damage is named, ranks share the work."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hybrid_ir.evaluation.ranking.exact_search import search
from hybrid_ir.evaluation.vectors.corpus_vectors import CorpusVectors, VectorStore
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock, map_block, read_block, read_ids, write_block
from hybrid_ir.sources.errors import InputError
from tests.evaluation.benchmarks.miracl_files import english, write_lines, write_passages
from tests.evaluation.samples import HashEncoder, PlantedEncoder
from tests.processes import run_processes

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 120


@pytest.fixture
def passages(tmp_path: Path) -> Path:
    return write_passages(tmp_path / "docs-0.jsonl.gz", range(47))


def files(vectors: CorpusVectors) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in vectors.folder.iterdir() if not path.name.startswith(".")}


def test_what_is_read_is_what_was_encoded(passages: Path, tmp_path: Path) -> None:
    encoder = HashEncoder()
    vectors = VectorStore(tmp_path / "store", "float32", block_size=10).encode(encoder, english(passages))
    blocks = list(vectors.blocks())
    assert len(vectors) == 47 and [len(block.ids) for block in blocks] == [10, 10, 10, 10, 7]
    for block in blocks:
        numbers = [key.decode().removeprefix("en:").removesuffix("#0") for key in block.ids.tolist()]
        expected = HashEncoder().encode([f"Title {number}\nen passage {number}" for number in numbers], "passage")
        assert torch.equal(block.vectors, expected)
    again = VectorStore(tmp_path / "store", "float32", block_size=10).encode(encoder, english(passages))
    assert again == vectors and len(encoder.asked) == 5  # nothing is encoded twice


def test_half_precision_takes_half_the_disk_and_is_scored_in_float32(passages: Path, tmp_path: Path) -> None:
    single, half = (
        VectorStore(tmp_path / "store", dtype, block_size=50).encode(HashEncoder(384), english(passages))
        for dtype in ("float32", "float16")
    )
    sizes = [sum(map(len, files(vectors).values())) for vectors in (single, half)]
    assert sizes[1] < 0.6 * sizes[0]
    queries = HashEncoder(384).encode(["a question"], "query")
    rounded = [block._replace(vectors=block.vectors.half().float()) for block in single.blocks()]
    found, expected = search(queries, half.blocks(), 5), search(queries, rounded, 5)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_killed_encoding_is_resumed_to_the_same_bits(passages: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.evaluation.killed_encoding", str(passages), str(tmp_path / "killed"), "2"]
    child = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert [child.stdout.readline() for _ in range(3)] == ["encoding\n"] * 3
    finally:
        child.kill()
        child.communicate(timeout=SECONDS)
    (folder,) = (tmp_path / "killed").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["000000.block", "000001.block"]
    encoder = HashEncoder()
    resumed = VectorStore(tmp_path / "killed", block_size=10).encode(encoder, english(passages))
    assert len(encoder.asked) == 3  # the blocks that were missing
    whole = VectorStore(tmp_path / "whole", block_size=10).encode(HashEncoder(), english(passages))
    assert files(resumed) == files(whole)


def test_another_encoder_corpus_precision_or_block_size_has_vectors_of_its_own(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    other = write_passages(tmp_path / "other.jsonl.gz", range(48))
    folders = {
        store.encode(HashEncoder(), english(passages)).folder,
        store.encode(HashEncoder(8), english(passages)).folder,
        store.encode(HashEncoder(), english(other)).folder,
        replace(store, dtype="float32").encode(HashEncoder(), english(passages)).folder,
        replace(store, block_size=11).encode(HashEncoder(), english(passages)).folder,
    }
    assert len(folders) == 5
    moved = passages.rename(tmp_path / "moved.jsonl.gz")
    assert store.encode(HashEncoder(), english(moved)).folder in folders  # content counts, not the place


@pytest.mark.parametrize("damage", ["cut", "flip", "delete"])
def test_a_damaged_block_is_named_and_encoded_anew_when_deleted(passages: Path, tmp_path: Path, damage: str) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    vectors = store.encode(HashEncoder(), english(passages))
    whole, path = files(vectors), vectors.path(3)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes({"cut": content[:-40], "flip": content, "delete": b""}[damage])
    if damage == "delete":
        path.unlink()
    with pytest.raises(InputError, match=r"000003\.block: this block of vectors is missing or damaged .*; delete it"):
        list(vectors.blocks())
    path.unlink(missing_ok=True)
    encoder = HashEncoder()
    assert files(store.encode(encoder, english(passages))) == whole and len(encoder.asked) == 1


def test_no_damaged_byte_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "0.block"
    write_block(path, PassageBlock.sort(["a", "b", "c"], torch.randn(3, 5, generator=torch.Generator().manual_seed(0))))
    content = path.read_bytes()
    damaged = [content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :] for at in range(len(content))]
    for bad in [*damaged, *(content[:size] for size in range(len(content)))]:
        path.write_bytes(bad)
        with pytest.raises(InputError, match=r"0\.block: this block of vectors is missing or damaged"):
            read_block(path)


@pytest.mark.parametrize("size", [0, 20, 130])
def test_ids_of_a_file_that_was_cut_off_are_refused(size: int, tmp_path: Path) -> None:
    path = tmp_path / "0.block"
    write_block(path, PassageBlock.sort(["a", "b", "c"], torch.ones(3, 5)))
    assert read_ids(path).tolist() == [b"c", b"b", b"a"]
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="missing or damaged"):
        read_ids(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"docid": "1", "title": "", "text": "a"}', "{"], "docs.jsonl:2: not JSON"),
        (['{"docid": "1", "title": "", "text": "  "}'], "docs.jsonl:1: the id or text of passage '1' is empty"),
        (['{"docid": "1", "title": "t"}'], "docs.jsonl:1: 'text' must be a string, got None"),
        (['{"docid": "1", "title": "", "text": "a"}'] * 2, "'en:1' occurs twice"),
        ([], "the files of the corpus are empty"),
    ],
)
def test_faults_of_a_corpus_are_named(lines: list[str], message: str, tmp_path: Path) -> None:
    write_lines(tmp_path / "docs.jsonl", lines)
    with pytest.raises(ValueError, match=re.escape(message)):
        VectorStore(tmp_path / "store").encode(HashEncoder(), english(tmp_path / "docs.jsonl"))


def test_an_id_in_two_blocks_is_refused(tmp_path: Path) -> None:
    path = write_passages(tmp_path / "docs.jsonl", [*range(12), 3])
    with pytest.raises(ValueError, match="1 passage ids occur twice in the corpus, such as 'en:3#0'"):
        VectorStore(tmp_path / "store", block_size=5).encode(HashEncoder(), english(path))


class Long(HashEncoder):
    def _vector(self, text: str) -> torch.Tensor:
        return super()._vector(text) * (1e6 if text.endswith(" 4") else 1)


def test_vectors_that_overflow_are_refused_by_line(passages: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"docs-0.jsonl.gz:5: the vector of passage 'en:4#0' .* as float16"):
        VectorStore(tmp_path / "store").encode(Long(), english(passages))
    VectorStore(tmp_path / "store", "float32").encode(Long(), english(passages))


class Prefixed(HashEncoder):
    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side

    def describe(self) -> dict[str, object]:
        return super().describe() | {f"{self.side}_prefix": "text: "}


def test_what_concerns_queries_alone_does_not_encode_the_corpus_again(passages: Path, tmp_path: Path) -> None:
    plain, query, passage = (
        VectorStore(tmp_path / "store").encode(encoder, english(passages)).folder
        for encoder in (HashEncoder(), Prefixed("query"), Prefixed("passage"))
    )
    assert plain == query != passage


def test_an_encoder_that_does_not_describe_itself_is_refused(passages: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"PlantedEncoder has no describe\(\)"):
        VectorStore(tmp_path).encode(PlantedEncoder(["en"], 3, 1.0, 1.0), english(passages))


@pytest.mark.parametrize(("options", "message"), [({"dtype": "int8"}, "got 'int8'"), ({"block_size": 0}, "got 0")])
def test_options_without_sense_are_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        VectorStore(tmp_path, **options)  # type: ignore[arg-type]


def encode_and_compare(rank: int, world_size: int, passages: Path, store: VectorStore, expected: dict) -> None:
    encoder = HashEncoder()
    vectors = store.encode(encoder, english(passages))
    assert files(vectors) == expected
    assert len(encoder.asked) == 2  # of the four that were missing
    assert sorted(len(block.ids) for block in vectors.blocks()) == ([7, 10, 10], [10, 10])[rank]


def test_two_processes_share_what_is_missing(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    vectors = store.encode(HashEncoder(), english(passages))
    whole = files(vectors)
    for number in (0, 2, 3, 4):
        vectors.path(number).unlink()
    run_processes(encode_and_compare, 2, tmp_path, passages, store, whole)


def fail_on_both(rank: int, world_size: int, passages: Path, store: VectorStore, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store.encode(HashEncoder(), english(passages))


def test_a_fault_that_one_process_finds_stops_both(tmp_path: Path) -> None:
    path = write_passages(tmp_path / "docs.jsonl", [*range(12), 3])
    run_processes(
        fail_on_both, 2, tmp_path, path, VectorStore(tmp_path / "store", block_size=5), "occur twice in the corpus"
    )


def test_damage_that_one_process_finds_stops_both(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    vectors = store.encode(HashEncoder(), english(passages))
    vectors.path(1).write_bytes(b"")
    vectors.path(0).unlink()  # so that the ids are compared again
    run_processes(fail_on_both, 2, tmp_path, passages, store, r"000001\.block: this block .* damaged")


@pytest.mark.parametrize(("ids", "message"), [(["a", "b", "a"], "'a' occurs twice"), (["a", ""], "id is empty")])
def test_ids_of_a_block_are_distinct_and_not_empty(ids: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PassageBlock.sort(ids, torch.ones(len(ids), 2))


@pytest.mark.parametrize("half", [False, True])
def test_a_mapped_block_is_the_block(half: bool, tmp_path: Path) -> None:
    vectors = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    block = PassageBlock.sort([f"{number}" for number in range(50)], vectors.half() if half else vectors)
    write_block(tmp_path / "0.block", block)
    mapped, read = map_block(tmp_path / "0.block"), read_block(tmp_path / "0.block")
    assert torch.equal(mapped.vectors, read.vectors) and (mapped.ids == read.ids).all()
    for damaged in (b"", (tmp_path / "0.block").read_bytes()[:-8], None):
        (tmp_path / "0.block").unlink()
        if damaged is not None:
            (tmp_path / "0.block").write_bytes(damaged)
        with pytest.raises(InputError, match=r"0\.block: this block of vectors is missing or damaged"):
            map_block(tmp_path / "0.block")
        (tmp_path / "0.block").touch()
