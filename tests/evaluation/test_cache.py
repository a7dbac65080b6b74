"""Cached vectors: found by content, bounded, and safe where processes share the folder or die."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from hybrid_ir.evaluation.vectors.vector_cache import CachedEncoder
from hybrid_ir.sources.errors import InputError
from tests.evaluation.samples import HashEncoder

TEXTS = ["one", "two", "three"]


class Described(HashEncoder):
    def __init__(self, **description: object) -> None:
        super().__init__()
        self.description = description

    def describe(self) -> dict[str, object]:
        return self.description


def cached(folder: Path, max_bytes: int = 10**6, **description: object) -> CachedEncoder:
    return CachedEncoder(Described(**description), folder, max_bytes)


def asked(encoder: CachedEncoder) -> list[tuple[str, list[str]]]:
    return encoder.encoder.asked  # type: ignore[attr-defined]


def test_a_text_is_encoded_once(tmp_path: Path) -> None:
    first = cached(tmp_path, weights="a")
    vectors = first.encode([*TEXTS, "one"], "query")
    assert torch.equal(vectors, Described().encode([*TEXTS, "one"], "query"))
    assert asked(first) == [("query", TEXTS)]
    second = cached(tmp_path, weights="a")
    assert torch.equal(second.encode(["three", "four", "one"], "query")[[0, 2]], vectors[[2, 0]])
    assert asked(second) == [("query", ["four"])]
    third = cached(tmp_path, weights="a")
    third.encode(["four", "two"], "query")
    assert asked(third) == []


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({"weights": "b"}, {"query", "passage"}),
        ({"query_prefix": "q: "}, {"query"}),
        ({"max_passage_length": 8}, {"passage"}),
        ({}, set()),
    ],
)
def test_what_decides_a_vector_decides_the_hit(tmp_path: Path, changed: dict[str, object], again: set[str]) -> None:
    description = {"weights": "a", "query_prefix": "", "max_passage_length": 16}
    before, after = cached(tmp_path, **description), cached(tmp_path, **(description | changed))
    for encoder in (before, after):
        encoder.encode(TEXTS, "query")
        encoder.encode(TEXTS, "passage")
    assert {kind for kind, _ in asked(after)} == again


def test_what_was_not_used_for_the_longest_goes_first(tmp_path: Path) -> None:
    files: dict[str, Path] = {}
    for age, text in enumerate("abc"):
        cached(tmp_path).encode([text], "query")
        (files[text],) = set(tmp_path.rglob("*.safetensors")) - set(files.values())
        os.utime(files[text], (age, age))
    full = cached(tmp_path, max_bytes=3 * files["a"].stat().st_size)
    full.encode(["a"], "query")  # the oldest, but used just now
    full.encode(["d"], "query")
    assert {text for text, file in files.items() if file.exists()} == {"a", "c"}


def test_unfinished_files_are_no_vectors_and_go_with_time(tmp_path: Path) -> None:
    cached(tmp_path).encode(TEXTS, "query")
    (file,) = tmp_path.rglob("*.safetensors")
    half = file.with_name(f".{file.name}.1.x.tmp")
    half.write_bytes(file.read_bytes()[:100])
    fresh = cached(tmp_path)
    fresh.encode(TEXTS, "query")
    assert asked(fresh) == [] and half.exists()  # another process may be writing it
    os.utime(half, (time.time() - 7200,) * 2)
    fresh.encode(["new"], "query")
    assert not half.exists()


def test_damage_is_an_error_not_a_vector(tmp_path: Path) -> None:
    cached(tmp_path).encode(TEXTS, "query")
    (file,) = tmp_path.rglob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    for damaged in (content, content[:-10]):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match=r"a damaged file of cached vectors .*; delete it"):
            cached(tmp_path).encode(TEXTS, "query")


def test_many_at_once(tmp_path: Path) -> None:
    """Writers and readers of overlapping texts, with a bound so tight that files vanish while others read."""
    texts = [f"text {number}" for number in range(40)]
    expected = Described().encode(texts, "query")

    def work(start: int) -> bool:
        rows = list(range(start, start + 20))
        found = cached(tmp_path, 6000).encode([texts[row] for row in rows], "query")
        return torch.equal(found, expected[rows])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, [number % 20 for number in range(64)]))
