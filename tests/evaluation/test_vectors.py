"""Vectors on disk: what a kill leaves is resumed to the same bits, damage is named, ranks share the work."""

import multiprocessing
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hybrid_ir.evaluation.vectors.corpus_vectors import CorpusVectors, VectorStore
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock, map_block, read_block, read_ids, write_block
from hybrid_ir.sources.errors import InputError
from tests.evaluation.benchmarks.miracl_files import english, write_lines, write_passages
from tests.evaluation.samples import HashEncoder, PlantedEncoder
from tests.processes import run_processes


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


class IsKilled(HashEncoder):
    """Encodes two blocks; the process dies in the third."""

    def encode(self, texts: Sequence[str], kind: str) -> torch.Tensor:
        if len(self.asked) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(texts, kind)


def test_a_killed_encoding_is_resumed_to_the_same_bits(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "killed", block_size=10)
    child = multiprocessing.get_context("fork").Process(target=store.encode, args=(IsKilled(), english(passages)))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    (folder,) = (tmp_path / "killed").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["000000.block", "000001.block"]
    encoder = HashEncoder()
    resumed = store.encode(encoder, english(passages))
    assert len(encoder.asked) == 3  # the blocks that were missing
    whole = VectorStore(tmp_path / "whole", block_size=10).encode(HashEncoder(), english(passages))
    assert files(resumed) == files(whole)


class Prefixed(HashEncoder):
    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side

    def describe(self) -> dict[str, object]:
        return super().describe() | {f"{self.side}_prefix": "text: "}


def test_what_decides_the_vectors_decides_the_folder(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    other = write_passages(tmp_path / "other.jsonl.gz", range(48))
    plain = store.encode(HashEncoder(), english(passages)).folder
    folders = {
        plain,
        store.encode(HashEncoder(8), english(passages)).folder,
        store.encode(Prefixed("passage"), english(passages)).folder,
        store.encode(HashEncoder(), english(other)).folder,
        replace(store, dtype="float32").encode(HashEncoder(), english(passages)).folder,
        replace(store, block_size=11).encode(HashEncoder(), english(passages)).folder,
    }
    assert len(folders) == 6
    assert store.encode(Prefixed("query"), english(passages)).folder == plain  # concerns queries alone
    moved = passages.rename(tmp_path / "moved.jsonl.gz")
    assert store.encode(HashEncoder(), english(moved)).folder == plain  # content counts, not the path
    with pytest.raises(ValueError, match=r"PlantedEncoder has no describe\(\)"):
        store.encode(PlantedEncoder(["en"], 3, 1.0, 1.0), english(moved))


def test_a_damaged_block_is_named_and_encoded_anew_when_deleted(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    vectors = store.encode(HashEncoder(), english(passages))
    whole, path = files(vectors), vectors.path(3)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    for damaged in (content, content[:-40], None):
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"000003\.block: .* missing or damaged .*; delete it"):
            list(vectors.blocks())
        path.unlink(missing_ok=True)
        encoder = HashEncoder()
        assert files(store.encode(encoder, english(passages))) == whole and len(encoder.asked) == 1


def test_no_damaged_byte_goes_unnoticed(tmp_path: Path) -> None:
    path, message = tmp_path / "0.block", r"0\.block: this block of vectors is missing or damaged"
    write_block(path, PassageBlock.sort(["a", "b", "c"], torch.randn(3, 2, generator=torch.Generator().manual_seed(0))))
    assert read_ids(path).tolist() == [b"c", b"b", b"a"]
    content = path.read_bytes()
    damaged = [content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :] for at in range(len(content))]
    for bad in [*damaged, *(content[:size] for size in range(0, len(content), 4))]:
        path.write_bytes(bad)
        with pytest.raises(InputError, match=message):
            read_block(path)
    for size in (0, 20, 130):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match=message):
            read_ids(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"docid": "1", "title": "", "text": "a"}', "{"], "docs.jsonl:2: not JSON"),
        (['{"docid": "1", "title": "", "text": "  "}'], "docs.jsonl:1: the id or text of passage '1' is empty"),
        (['{"docid": "1", "title": "t"}'], "docs.jsonl:1: 'text' must be a string, got None"),
        (['{"docid": "1", "title": "", "text": "a"}'] * 2, "'en:1' occurs twice"),
        ([f'{{"docid": "{n}", "title": "", "text": "a"}}' for n in [*range(12), 3]], "1 passage ids occur twice in"),
        ([], "the files of the corpus are empty"),
    ],
)
def test_faults_of_a_corpus_are_named(lines: list[str], message: str, tmp_path: Path) -> None:
    write_lines(tmp_path / "docs.jsonl", lines)
    with pytest.raises(ValueError, match=re.escape(message)):
        VectorStore(tmp_path / "store", block_size=5).encode(HashEncoder(), english(tmp_path / "docs.jsonl"))


class Long(HashEncoder):
    def _vector(self, text: str) -> torch.Tensor:
        return super()._vector(text) * (1e6 if text.endswith(" 4") else 1)


def test_vectors_that_overflow_are_refused_by_line(passages: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"docs-0.jsonl.gz:5: the vector of passage 'en:4#0' .* as float16"):
        VectorStore(tmp_path / "store").encode(Long(), english(passages))
    VectorStore(tmp_path / "store", "float32").encode(Long(), english(passages))


def fail_on_both(rank: int, world_size: int, cases: list[tuple[Path, VectorStore, str]]) -> None:
    for path, store, message in cases:
        with pytest.raises(ValueError, match=message):
            store.encode(HashEncoder(), english(path))


def test_what_one_process_finds_stops_both(passages: Path, tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "store", block_size=10)
    vectors = store.encode(HashEncoder(), english(passages))
    vectors.path(1).write_bytes(b"")
    vectors.path(0).unlink()  # so that the ids are compared again
    twice = write_passages(tmp_path / "docs.jsonl", [*range(12), 3])
    cases = [
        (passages, store, r"000001\.block: this block .* damaged"),
        (twice, VectorStore(tmp_path / "other", block_size=5), "occur twice in the corpus"),
    ]
    run_processes(fail_on_both, 2, tmp_path, cases)


def test_options_and_ids_without_sense_are_refused(tmp_path: Path) -> None:
    for options, message in (({"dtype": "int8"}, "got 'int8'"), ({"block_size": 0}, "got 0")):
        with pytest.raises(ValueError, match=message):
            VectorStore(tmp_path, **options)  # type: ignore[arg-type]
    for ids, message in ((["a", "b", "a"], "'a' occurs twice"), (["a", ""], "id is empty")):
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
