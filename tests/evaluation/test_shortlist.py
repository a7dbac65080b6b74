"""The shortlist loses nothing: what is found is what a search of everything finds, bit for bit."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hybrid_ir.evaluation.ranking import shortlist as module
from hybrid_ir.evaluation.ranking.shortlist import FEW, quick_search, shortlist
from hybrid_ir.evaluation.ranking.topk import TopK, search
from hybrid_ir.evaluation.vectors.block import Block
from hybrid_ir.evaluation.vectors.block_files import map_block, read_block, write_block
from hybrid_ir.sources.errors import InputError
from tests.processes import run_processes


def near_ties(passages: int, queries: int, width: int = 64, half: bool = False, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Unit vectors of which many are equal, and many differ by rounding alone."""
    draw = torch.Generator().manual_seed(seed)
    few = torch.randn(max(1, passages // 4), width, generator=draw)
    vectors = few[torch.randint(len(few), (passages,), generator=draw)]
    vectors[::3] += 1e-7 * torch.randn(vectors[::3].shape, generator=draw)
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    asked = torch.nn.functional.normalize(torch.randn(queries, width, generator=draw), dim=1)
    return asked, vectors.half() if half else vectors


def blocks_of(vectors: Tensor, size: int) -> list[Block]:
    ids = [f"{number * 7919 % 100_003}" for number in range(len(vectors))]
    starts = range(0, len(vectors), size)
    return [Block.sort(ids[start : start + size], vectors[start : start + size]) for start in starts]


def same(found: TopK, expected: TopK) -> None:
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


@settings(max_examples=60, deadline=None)
@given(
    passages=st.integers(1, 900), queries=st.integers(1, 6), k=st.integers(1, 40), size=st.integers(1, 400),
    half=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_the_best_are_those_of_a_search_of_everything(
    passages: int, queries: int, k: int, size: int, half: bool, seed: int
) -> None:
    asked, vectors = near_ties(passages, queries, half=half, seed=seed)
    blocks = blocks_of(vectors, size)
    longest = float(vectors.double().norm(dim=1).max())
    same(quick_search(asked, blocks, k, longest), search(asked, blocks, k))


def test_cheap_scores_that_err_as_far_as_rounding_allows_cost_nothing() -> None:
    """The margin is that of the proof: errors of its size, put into the cheap scores, change no list."""
    asked, vectors = near_ties(2000, 3)
    blocks, products = blocks_of(vectors, 500), module._products
    unit = 64 * 2.0**-24
    draw = torch.Generator().manual_seed(1)

    def erring(queries: Tensor, rows: Tensor):  # type: ignore[no-untyped-def]
        for scores in products(queries, rows):
            yield scores + 0.99 * 2 * unit / (1 - unit) * (2 * torch.rand(scores.shape, generator=draw) - 1).sign()

    with mock.patch.object(module, "_products", erring):
        found = [quick_search(asked, blocks, k, 1.0) for k in range(1, 20)]  # some cut falls among near ties
    for k, top in enumerate(found, start=1):
        same(top, search(asked, blocks, k))


def test_the_list_is_short_and_ranked_without_the_rest() -> None:
    draw = torch.Generator().manual_seed(3)
    vectors = torch.nn.functional.normalize(torch.randn(20_000, 32, generator=draw), dim=1)
    asked = torch.nn.functional.normalize(torch.randn(1, 32, generator=draw), dim=1)
    few = shortlist(asked, blocks_of(vectors, 3000), 10, 1.0)
    assert few is not None and 10 <= len(few.ids) < 40


def test_where_all_scores_are_equal_everything_is_searched() -> None:
    blocks = blocks_of(torch.ones(900, 4), 200)
    asked = torch.ones(2, 4)
    with mock.patch.object(module, "MOST", 500):
        assert shortlist(asked, blocks, 5, 2.0) is None
        same(quick_search(asked, blocks, 5, 2.0), search(asked, blocks, 5))
    assert shortlist(asked, blocks, 5, 2.0) is not None


def test_many_queries_and_no_blocks_are_left_to_search() -> None:
    asked, vectors = near_ties(300, FEW + 1)
    with mock.patch.object(module, "shortlist", side_effect=AssertionError):
        same(quick_search(asked, blocks_of(vectors, 90), 5, 1.0), search(asked, blocks_of(vectors, 90), 5))
        assert not quick_search(asked[:1], [], 5, 1.0).ids.astype(bool).any()


def in_two(rank: int, world_size: int, expected: TopK) -> None:
    asked, vectors = near_ties(600, 2)
    same(quick_search(asked, blocks_of(vectors, 100)[rank::2], 10, 1.0), expected)
    same(quick_search(asked, blocks_of(vectors, 600)[rank:], 10, 1.0), expected)  # the second rank has nothing


def test_processes_share_blocks(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        asked, vectors = near_ties(600, 2)
        run_processes(in_two, 2, tmp_path, search(asked, blocks_of(vectors, 100), 10))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("half", [False, True])
def test_a_mapped_block_is_the_block(half: bool, tmp_path: Path) -> None:
    (block,) = blocks_of(near_ties(50, 1, half=half)[1], 50)
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
